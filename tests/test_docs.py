"""The docs are true: they name every setting, command and option there is, and no file that there is not."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from tests.factories import add_picture, make_article, make_topic

PROJECT = Path(__file__).parent.parent
PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), *PROJECT.glob("benchmarks/*.md")])
APPS = {"articles", "providers", "images"}


def text_of(*pages: Path) -> str:
    return "\n".join(page.read_text() for page in pages)


def variables_read() -> list[str]:
    source = (PROJECT / "config" / "settings.py").read_text()
    return sorted(set(re.findall(r'\benv(?:\.\w+)?\(\s*"([A-Z_]+)"', source)))


def our_commands() -> dict[str, BaseCommand]:
    return {name: load_command_class(app, name) for name, app in get_commands().items() if app in APPS}


def options_of(command: BaseCommand) -> set[str]:
    """The option strings that are the command's own, not those that every command has."""

    def all_of(command):
        actions = command.create_parser("manage.py", "command")._actions
        return {option for action in actions for option in action.option_strings if option.startswith("--")}

    return all_of(command) - all_of(BaseCommand())


def links_of(page: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    found = re.findall(r"\]\(([^)\s]+)", text) + re.findall(r'(?:src|srcset|href)="([^"]+)"', text)
    return [link for link in found if not re.match(r"[a-z]+:|#", link)]


def test_the_tests_below_find_what_they_look_for():
    assert {"SECRET_KEY", "DATABASE_URL", "ENV_FILE"} <= set(variables_read())
    assert {"import_frontmatter", "cache_images", "demo_login"} <= set(our_commands())


@pytest.mark.parametrize("variable", variables_read())
def test_settings_page_has_a_row_for(variable):
    assert f"\n| `{variable}` |" in text_of(PROJECT / "docs" / "settings.md")


def test_settings_page_has_no_row_for_a_variable_that_nobody_reads():
    rows = re.findall(r"^\| `([A-Z_]+)` \|", text_of(PROJECT / "docs" / "settings.md"), flags=re.MULTILINE)
    for_developers = re.findall(r"\b[A-Z_]{4,}\b", text_of(PROJECT / "Makefile", PROJECT / ".ci" / "run"))
    assert set(rows) <= {*variables_read(), *for_developers}


@pytest.mark.parametrize("name", our_commands())
def test_docs_name_each_option_of(name):
    docs = text_of(PROJECT / "README.md", *PROJECT.glob("docs/**/*.md"))
    assert name in docs
    unmentioned = {option for option in options_of(our_commands()[name]) if not re.search(rf"{option}(?![\w-])", docs)}
    assert not unmentioned


@pytest.mark.parametrize("name", our_commands())
def test_help_explains_each_option_of(name):
    command = our_commands()[name]
    assert command.help
    own = options_of(command)
    actions = command.create_parser("manage.py", name)._actions
    assert not [a.dest for a in actions if own & set(a.option_strings) and not a.help]


@pytest.mark.parametrize("name", [str(page.relative_to(PROJECT)) for page in PAGES])
def test_every_file_is_there_that_is_linked_from(name):
    page = PROJECT / name
    missing = [link for link in links_of(page) if not (page.parent / link.split("#")[0]).exists()]
    assert not missing


def public_routes() -> list[str]:
    """As docs spell them: `/topics/<slug>/`."""
    patterns = [str(each.pattern) for each in import_module("articles.urls").urlpatterns]
    return ["/" + re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", pattern) for pattern in patterns]


@pytest.mark.parametrize("route", public_routes())
def test_docs_name_the_route(route):
    spelt = route.replace("<day>", "<yyyy/mm/dd>").replace("<month>", "<yyyy/mm>")
    assert f"`{spelt}`" in text_of(PROJECT / "docs" / "api.md")


@pytest.mark.django_db
def test_docs_name_each_field_of_the_api(client):
    story = make_article(topics=[make_topic()])
    add_picture(story)
    told = set(re.findall(r"`(\w+)`", text_of(PROJECT / "docs" / "api.md")))
    [data] = client.get("/api/news/index.json").json()["value"]
    [topic] = client.get("/api/topics/index.json").json()["value"]
    fields = {*data, *data["provider"], *data["images"][0], *topic}
    assert fields <= told


@pytest.mark.parametrize("command", ["make run", "make test"])
def test_readme_names(command):
    assert command in text_of(PROJECT / "README.md")
