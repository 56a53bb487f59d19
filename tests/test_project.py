"""What holds for the project as a whole."""

import os
import re
from pathlib import Path

import pytest
from django.template.loader import get_template

PROJECT = Path(__file__).parent.parent
NOT_OURS = {".venv", "var", "node_modules", "__pycache__"}
TEMPLATES = sorted(
    str(path.relative_to(folder))
    for folder in PROJECT.glob("**/templates")
    if not NOT_OURS & set(folder.parts)
    for path in folder.rglob("*.*")
)


def our_files() -> list[Path]:
    """Every file of the project, without what tools and a running site leave behind."""
    found = []
    for folder, folders, files in os.walk(PROJECT):
        folders[:] = [name for name in folders if name == ".ci" or (name[0] != "." and name not in NOT_OURS)]
        found += [Path(folder, name) for name in files if not name.startswith(".env") and ".pyc" not in name]
    return found


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-scale.txt", "requirements-dev.txt"])
def test_each_requirement_is_pinned_and_says_why(name):
    lines = (PROJECT / name).read_text().splitlines()
    for line in lines:
        if line and not line.startswith(("#", "-r ")):
            assert re.fullmatch(r"[\w.-]+(\[\w+\])?==[\w.]+ +# .{3,}", line), line


def test_no_file_depends_on_one_machine_or_one_package_index():
    unwanted = re.compile("/[w]ork/|/[r]oot/|-[i]ndex-url")
    for path in our_files():
        text = path.read_bytes().decode("utf-8", errors="ignore")
        assert not (found := unwanted.search(text)), f"{path.relative_to(PROJECT)} has {found[0]}"


@pytest.mark.parametrize("sheet", sorted((PROJECT / "static" / "css").glob("*.css")), ids=lambda sheet: sheet.name)
def test_nothing_moves_for_those_who_asked_for_less_motion(sheet):
    moving = re.compile(r"@media \(prefers-reduced-motion: no-preference\) \{.*?^\}", re.DOTALL | re.MULTILINE)
    still = moving.sub("", sheet.read_text())
    assert re.findall(r"(?:transition|animation)[\w-]*:|scroll-behavior: *smooth|@keyframes", still) == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_compiles(name):
    get_template(name)


def test_ci_runs_what_the_docs_tell_people_to_run():
    script = (PROJECT / ".ci" / "run").read_text()
    assert "make test" in script
    assert "make check" in script
    assert os.access(PROJECT / ".ci" / "run", os.X_OK)
