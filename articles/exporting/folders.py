"""Writing files into one folder: under names that any file system takes, and nowhere else. Pure."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import unicodedata
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

MAX_NAME_BYTES = 200  # of the 255 that file systems allow

# Names that Windows keeps for devices, whatever stands behind a dot.
_RESERVED = re.compile(r"(?i)(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|CLOCK\$|(?:COM|LPT)[0-9¹²³])(?= *(?:\.|\Z))")
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')

# What is wrong with one name, and not with the disk.
_OF_THE_NAME = frozenset({errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.ENOTDIR, errno.EEXIST, errno.ELOOP})


class UnwritableError(Exception):
    """A file that cannot be written where it belongs; the others can."""


class Folder:
    """What is written lies in `root`: no path and no link leads out of it. `overwrite`: files that are there give way;
    those that hold the same already are left alone, times and all."""

    def __init__(self, root: Path, *, overwrite: bool = False) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root.resolve()
        self.overwrite = overwrite
        self.folders: dict[str, str] = {}  # those that were looked at, by their paths within the root
        self.written: set[int] = set()  # inodes; only while others give way

    def write(self, path: str, content: bytes) -> None:
        """Raises UnwritableError for a path that cannot be had, and OSError when nothing can be written at all."""
        try:
            self._write(path, content)
        except OSError as error:
            if error.errno not in _OF_THE_NAME:
                raise
            raise UnwritableError(f"cannot be written: {error.strerror}") from error
        except ValueError as error:
            raise UnwritableError("no file can have that name") from error

    def _write(self, path: str, content: bytes) -> None:
        file = f"{self._folder(path)}/{path.rpartition('/')[2]}"
        try:
            self._create(file, content)
        except FileExistsError:
            found = os.lstat(file)
            if not self.overwrite or found.st_ino in self.written:
                raise UnwritableError("the file system takes its name for that of another file") from None
            if not stat.S_ISREG(found.st_mode):
                raise UnwritableError("in its place there is something that is no regular file") from None
            self._replace(file, content, found)

    def _create(self, file: str, content: bytes) -> None:
        with open(file, "xb") as opened:  # x: what is there is not written to, and no link is followed
            opened.write(content)
            if self.overwrite:
                self.written.add(os.fstat(opened.fileno()).st_ino)

    def _replace(self, file: str, content: bytes, found: os.stat_result) -> None:
        if found.st_size == len(content) and Path(file).read_bytes() == content:
            self.written.add(found.st_ino)
            return
        os.unlink(file)  # it may have other names elsewhere, which keep what it holds
        self._create(file, content)
        os.chmod(file, stat.S_IMODE(found.st_mode))

    def _folder(self, path: str) -> str:
        """The folder that `path` lies in, made if need be."""
        inside = path.rpartition("/")[0]
        if inside not in self.folders:
            folder = self._resolved(inside)
            folder.mkdir(parents=True, exist_ok=True)
            self.folders[inside] = str(folder)
        return self.folders[inside]

    def _resolved(self, inside: str) -> Path:
        """Where the folder is, all links followed."""
        try:
            folder = (self.root / inside).resolve()
        except RuntimeError as error:  # a loop of links
            raise UnwritableError("its folder is a link to itself") from error
        if not folder.is_relative_to(self.root):
            raise UnwritableError(f"its folder leads outside {self.root}")
        return folder


class Names:
    """Paths for what has none yet: none that is `taken`, even where neither case nor Unicode's spelling counts."""

    def __init__(self, taken: Iterable[str]) -> None:
        self.used = set(map(_spoken, taken))

    def free(self, path: str) -> str:
        stem, ending = os.path.splitext(path)
        tried = chain([path], (f"{stem}-{number}{ending}" for number in range(2, 10**6)))
        free = next(name for name in tried if _spoken(name) not in self.used)
        self.used.add(_spoken(free))
        return free


def _spoken(path: str) -> str:
    """What two paths have in common that some file systems take for the same."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).casefold())


def safe_name(name: str) -> str:
    """`name` as every common file system can hold it, and as the importer finds it: without a dot in front."""
    safe = _FORBIDDEN.sub("-", name).strip(". ") or "-"
    safe = _RESERVED.sub(r"\1-", safe) if _RESERVED.match(safe) else safe
    if len(safe.encode()) <= MAX_NAME_BYTES:
        return safe
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    return f"{safe.encode()[: MAX_NAME_BYTES - 13].decode('utf-8', 'ignore')}-{digest}"
