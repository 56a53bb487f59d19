"""Which files there are to import, and what each one's path is within its tree. No database."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from articles.documents import is_bare

ENDINGS = frozenset({".md", ".markdown", ".txt", ".yaml", ".yml"})
MAX_PATH = 500


@dataclass(frozen=True)
class TreeFile:
    """A file as it was found, and the root of the tree it belongs to."""

    file: Path
    root: Path

    @cached_property
    def path(self) -> str:
        """The path within the tree: the file's identity to the importer."""
        return Path(os.path.abspath(self.file)).relative_to(self.root).as_posix()

    @property
    def bare(self) -> bool:
        return is_bare(self.file.name)

    def unusable(self) -> str:
        """Why this file is not even opened; empty when it is."""
        try:
            self.path.encode()
        except UnicodeEncodeError:
            return "the file's name is not UTF-8"
        if len(self.path) > MAX_PATH:
            return f"the path is longer than {MAX_PATH} characters"
        if self.file.suffix.lower() not in ENDINGS:
            return "not a file of a known kind (.md, .markdown, .txt, .yaml, .yml)"
        if self.file.is_symlink() and not within(self.root, self.file):
            return "a symbolic link that leads outside the tree"
        return ""


def find_files(paths: Iterable[Path]) -> Iterator[TreeFile]:
    """The files named, and those in the folders named, each folder in the order of its names."""
    for path in paths:
        root = find_root(Path(os.path.abspath(path)))
        if not path.is_dir():
            yield TreeFile(path, root)
            continue
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                if Path(name).suffix.lower() in ENDINGS and not name.startswith("."):
                    yield TreeFile(Path(folder, name), root)


def find_root(path: Path) -> Path:
    """The root of the tree that `path` belongs to, so that a file has one identity however it is reached.

    Collections lie in folders such as `_news` or `_data`, and the root is what holds those: importing `site`,
    `site/_news` and `site/_news/one.md` find the same paths. Else it is the folder itself, or the file's own.
    """
    for folder in (path, *path.parents[:2]):
        if folder.name.startswith("_"):
            return folder.parent
    return path if path.is_dir() else path.parent


def asset(root: Path, url: str) -> Path | None:
    """The file in the tree that a site-relative address means; None when there is none, or only outside."""
    try:
        file = root / unquote(urlsplit(url).path).lstrip("/")
        return file if within(root, file) and file.is_file() else None
    except (OSError, ValueError):  # names that no file can have
        return None


def within(root: Path, file: Path) -> bool:
    """Whether `file`, all links followed, lies in `root`."""
    try:
        return file.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # a loop of links
        return False
