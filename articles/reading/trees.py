"""Which files there are to import, and what each one's path is within its tree. Pure."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from articles.documents import MAX_BYTES, DocumentError, is_bare

ENDINGS = frozenset({".md", ".markdown", ".txt", ".yaml", ".yml"})
MAX_PATH = 500
CLOCK_TICK = 2_000_000_000  # nanoseconds, as coarse as file systems are
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
SITE_MARKS = ("_news", "_data", "_config.yml", "_config.yaml")


class TreeFile(NamedTuple):
    """A file as it was found, and where it stands in its tree. Plain values: there may be a million of these, and they
    travel between processes."""

    file: str
    path: str  # from the root, with slashes: the file's identity to the importer
    root: str
    size: int  # bytes; 0 when it is gone
    mode: int  # of the file itself, links not followed; 0 when it is gone
    seen_as: str  # what would change if the file did: its size, its time and which file it is; empty when in doubt

    @property
    def bare(self) -> bool:
        return is_bare(self.path)

    @property
    def is_named(self) -> bool:
        """Whether the path is text, which a file system does not insist on."""
        return self.path == as_text(self.path)

    @property
    def stem(self) -> str:
        """The file's own name, without its ending."""
        return os.path.splitext(os.path.basename(self.path))[0]

    @property
    def tree(self) -> str:
        """The root, in a form that a database can hold."""
        return as_text(self.root)

    @property
    def shown(self) -> str:
        """The file as it was found, in a form that a report can hold and a terminal bear: what is not UTF-8, or would
        move its cursor, as question marks."""
        return _CONTROL.sub("?", as_text(self.file))

    def read(self) -> bytes:
        """The file's content, cut where it is too long for a document. Raises DocumentError with the reason."""
        if reason := self._unusable():
            raise DocumentError(reason)
        try:
            descriptor = os.open(self.file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # it may be a pipe by now
            try:
                return _read_all(descriptor, self.size)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise DocumentError(f"cannot be read: {error.strerror or error}") from error

    def lacks(self, path: str) -> bool:
        """Whether the tree it stands in has no such file."""
        return Scope(self.root, "").lacks(path)

    def _unusable(self) -> str:
        """Why this file is not even opened; empty when it is."""
        if not self.is_named:
            return "the file's name is not UTF-8"
        if _CONTROL.search(self.path):
            return "the file's name has a control character"
        if len(self.path) > MAX_PATH:
            return f"the path is longer than {MAX_PATH} characters"
        if stat.S_ISDIR(self.mode):
            return "the folder cannot be read"
        if stat.S_ISLNK(self.mode) and (reason := self._unfollowed()):
            return reason
        if not _is_wanted(self.path):
            return "not a file of a known kind (.md, .markdown, .txt, .yaml, .yml)"
        if self.mode and not stat.S_ISREG(self.mode) and not os.path.isfile(self.file):
            return "not a regular file"
        return ""

    def _unfollowed(self) -> str:
        """Why this link is not followed; empty when it is."""
        if not os.path.exists(self.file):
            return "a symbolic link that leads nowhere"
        if os.path.isdir(self.file):
            return "a link to a folder, which is not followed"
        if not within(Path(self.root), Path(self.file)):
            return "a symbolic link that leads outside the tree"
        return ""


def _read_all(descriptor: int, size: int) -> bytes:
    """All that the file holds, or one byte more than is allowed. One call for a file that still has its size."""
    content = os.read(descriptor, min(size, MAX_BYTES) + 1)
    if len(content) <= size:
        return content
    while len(content) <= MAX_BYTES and (more := os.read(descriptor, 65536)):
        content += more
    return content[: MAX_BYTES + 1]


def _is_wanted(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in ENDINGS


def as_text(path: Path | str) -> str:
    return str(path).encode("utf-8", "replace").decode()


class Scope(NamedTuple):
    """A folder that is imported whole: what it should hold, and does not, is gone."""

    root: str
    prefix: str  # of the paths below it, ending in a slash; empty for the tree's root

    @property
    def tree(self) -> str:
        return as_text(self.root)

    def lacks(self, path: str) -> bool:
        """Whether there is no such file. One that cannot be looked at is not known to be gone."""
        try:
            os.lstat(os.path.join(self.root, path))
        except (FileNotFoundError, NotADirectoryError):
            return True
        except (OSError, ValueError):
            return False
        return False


def find_scopes(paths: Iterable[Path]) -> list[Scope]:
    scopes = []
    for path in (Path(os.path.abspath(path)) for path in _apart(paths) if path.is_dir()):
        root = find_root(path)
        inside = _from_root(root, path)
        scopes.append(Scope(str(root), f"{inside}/" if inside else ""))
    return scopes


def find_files(paths: Iterable[Path]) -> Iterator[TreeFile]:
    """The files named, and those in the folders named, each folder in the order of its names; also the folders that
    cannot be read, for the report to name."""
    for path in _apart(paths):
        root = find_root(Path(os.path.abspath(path)))
        if path.is_dir():
            yield from _files_in(str(path), _from_root(root, path), str(root))
        else:
            yield _tree_file(str(path), _from_root(root, path), str(root), _status(path))


def _apart(paths: Iterable[Path]) -> list[Path]:
    """The paths without those that lie in another of them."""
    real = {Path(os.path.abspath(path)): path for path in paths}
    return [path for place, path in real.items() if not any(above in real for above in place.parents)]


def count_files(paths: Iterable[Path]) -> int:
    return sum(1 for _ in find_files(paths))


def _files_in(folder: str, inside: str, root: str) -> Iterator[TreeFile]:
    try:
        files, folders = _listed(folder)
    except OSError:
        yield _tree_file(folder, inside, root, _status(folder))
        return
    prefix = f"{inside}/" if inside else ""
    for name in files:
        file = os.path.join(folder, name)
        yield _tree_file(file, prefix + name, root, _status(file))
    for name in folders:
        yield from _files_in(os.path.join(folder, name), prefix + name, root)


def _listed(folder: str) -> tuple[list[str], list[str]]:
    """The names of the files that are wanted and of the folders, in order; links to folders among the former, for the
    report to name. Names only: an entry of the listing keeps all that it was ever asked."""
    files, folders = [], []
    with os.scandir(folder) as listing:
        for entry in listing:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            elif _is_wanted(entry.name) or (entry.is_symlink() and os.path.isdir(entry.path)):
                files.append(entry.name)
    return sorted(files), sorted(folders)


def _status(file: Path | str) -> os.stat_result | None:
    try:
        return os.lstat(file)
    except OSError:
        return None


def _tree_file(file: str, path: str, root: str, found: os.stat_result | None) -> TreeFile:
    if found is None:
        return TreeFile(file, path, root, 0, 0, "")
    return TreeFile(file, path, root, found.st_size, found.st_mode, _seen_as(found))


def _seen_as(found: os.stat_result) -> str:
    """Empty for a file so new that it might change again within one tick of the file system's clock, and for a link."""
    if not stat.S_ISREG(found.st_mode) or found.st_mtime_ns > time.time_ns() - CLOCK_TICK:
        return ""
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"


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
