"""Which files there are to import, and what each one's path is within its tree. No database."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from articles.documents import MAX_BYTES, DocumentError, is_bare

ENDINGS = frozenset({".md", ".markdown", ".txt", ".yaml", ".yml"})
MAX_PATH = 500
CLOCK_TICK = 2  # seconds, as coarse as file systems are
SITE_MARKS = ("_news", "_data", "_config.yml", "_config.yaml")


@dataclass(frozen=True)
class TreeFile:
    """A file as it was found, and where it stands in its tree. Strings, as there may be a million of these."""

    file: str
    path: str  # from the root, with slashes: the file's identity to the importer
    root: Path

    @property
    def bare(self) -> bool:
        return is_bare(self.path)

    @property
    def is_named(self) -> bool:
        """Whether the path is text, which a file system does not insist on."""
        return self.path == _text(self.path)

    @property
    def stem(self) -> str:
        """The file's own name, without its ending."""
        return os.path.splitext(os.path.basename(self.path))[0]

    @property
    def tree(self) -> str:
        """The root, in a form that a database can hold."""
        return _text(self.root)

    @property
    def shown(self) -> str:
        """The file as it was found, in a form that a report can hold: what is not UTF-8 as question marks."""
        return _text(self.file)

    @cached_property
    def status(self) -> os.stat_result | None:
        """What the file system says of the file itself, links not followed; None when it is gone."""
        try:
            return os.lstat(self.file)
        except OSError:
            return None

    @property
    def seen_as(self) -> str:
        """What would change if the file did: its size, its time and which file it is. Empty for one so new that it
        might change again within one tick of the file system's clock, and for a link."""
        found = self.status
        if found is None or not stat.S_ISREG(found.st_mode) or found.st_mtime > time.time() - CLOCK_TICK:
            return ""
        return f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"

    @property
    def size(self) -> int:
        """How many bytes will be read, at most."""
        return min(self.status.st_size, MAX_BYTES + 1) if self.status else 0

    def read(self) -> bytes:
        """The file's content, cut where it is too long for a document. Raises DocumentError with the reason."""
        if reason := self._unusable():
            raise DocumentError(reason)
        try:
            with open(self.file, "rb") as opened:
                return opened.read(MAX_BYTES + 1)
        except OSError as error:
            raise DocumentError(f"cannot be read: {error.strerror or error}") from error

    def _unusable(self) -> str:
        """Why this file is not even opened; empty when it is."""
        if not self.is_named:
            return "the file's name is not UTF-8"
        if len(self.path) > MAX_PATH:
            return f"the path is longer than {MAX_PATH} characters"
        mode = self.status.st_mode if self.status else 0
        if stat.S_ISDIR(mode):
            return "the folder cannot be read"
        if not _is_wanted(self.path):
            return "not a file of a known kind (.md, .markdown, .txt, .yaml, .yml)"
        if stat.S_ISLNK(mode) and not within(self.root, Path(self.file)):
            return "a symbolic link that leads outside the tree"
        if mode and not stat.S_ISREG(mode) and not os.path.isfile(self.file):
            return "not a regular file"
        return ""


def _is_wanted(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in ENDINGS


def _text(path: Path | str) -> str:
    return str(path).encode("utf-8", "replace").decode()


@dataclass(frozen=True)
class Scope:
    """A folder that is imported whole: what it should hold, and does not, is gone."""

    tree: str
    prefix: str  # of the paths below it, ending in a slash; empty for the tree's root


def find_scopes(paths: Iterable[Path]) -> list[Scope]:
    scopes = []
    for path in (Path(os.path.abspath(path)) for path in paths if path.is_dir()):
        root = find_root(path)
        inside = _from_root(root, path)
        scopes.append(Scope(_text(root), f"{inside}/" if inside else ""))
    return scopes


def find_files(paths: Iterable[Path]) -> Iterator[TreeFile]:
    """The files named, and those in the folders named, each folder in the order of its names; also the folders that
    cannot be read, for the report to name."""
    for path in paths:
        root = find_root(Path(os.path.abspath(path)))
        if not path.is_dir():
            yield TreeFile(str(path), _from_root(root, path), root)
            continue
        unreadable: list[OSError] = []
        for folder, folders, names in os.walk(path, onerror=unreadable.append):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            prefix = _from_root(root, folder)
            for name in sorted(names):
                if _is_wanted(name) and not name.startswith("."):
                    yield TreeFile(os.path.join(folder, name), f"{prefix}/{name}" if prefix else name, root)
        for error in unreadable:
            yield TreeFile(str(error.filename), _from_root(root, error.filename), root)


def _from_root(root: Path, path: Path | str) -> str:
    """The path within the tree, with slashes; empty for the root itself."""
    inside = Path(os.path.abspath(path)).relative_to(root).as_posix()
    return "" if inside == "." else inside


def find_root(path: Path) -> Path:
    """The root of the tree that `path` belongs to, so that a file has one identity however it is reached.

    A site is a folder that holds `_news`, `_data` or a `_config.yml`: importing `site`, `site/_news` and
    `site/_news/one.md` find the same paths. Without one, it is the folder itself, or the file's own.
    """
    for folder in (path, *path.parents):
        if any((folder / mark).exists() for mark in SITE_MARKS):
            return folder
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
