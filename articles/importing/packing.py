"""What editors upload, zips and loose files, as one zip of our own, each file at its path in the archive.

A zip from outside is read here and nowhere else, and nothing that it says of itself is believed.
"""

from __future__ import annotations

import io
import re
import stat
import struct
import unicodedata
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from articles.documents import MAX_BYTES, ProviderDocument, TopicDocument, is_bare, try_read
from articles.models import SourceFile
from articles.reading.trees import ENDINGS, MAX_PATH
from images.processing import MAX_BYTES as MAX_PICTURE_BYTES

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

MIB = 1024 * 1024
MAX_UPLOAD = 20 * MIB  # as it is sent
MAX_UNPACKED = 60 * MIB
MAX_FILES = 2_000
MAX_ENTRIES = 10_000  # of a zip, with folders and what is skipped: Python makes an object of each before we see one
MAX_NAME = 255  # bytes, of a file or folder, on most file systems

PICTURES = "assets/"
PICTURE_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".bmp", ".tif", ".tiff", ".ico"})
SITE_FOLDERS = frozenset({"_news", "_data", "assets"})
NAMED = 5  # files, in a message

_DIRECTORY_ENTRY = b"PK\x01\x02"
_UTF8_NAME, _ENCRYPTED = 0x800, 0x1 | 0x40 | 0x2000  # flags of an entry
_DAMAGE = (BadZipFile, EOFError, OSError, OverflowError, RuntimeError, ValueError, struct.error, zlib.error)
_BAD_PATHS = [
    (re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]"), "has characters in its name that no name should have"),
    (re.compile(r"\\"), "has a backslash in its name"),
    (re.compile(r"^(/|[A-Za-z]:)"), "has an absolute path"),
    (re.compile(r"(^|/)\.\.(/|$)"), "has a path that leads out of its folder (..)"),
    (re.compile(rf".{{{MAX_PATH + 1}}}"), f"has a path of more than {MAX_PATH} characters"),
]


class UploadError(Exception):
    """Files that are not taken, and why, for who sent them."""


@dataclass(frozen=True)
class Packed:
    """What of an upload can be imported, as a zip; what was sent; and the files that were left out of it."""

    content: bytes
    what: str
    left_out: list[str]

    @property
    def warning(self) -> str:
        if not self.left_out:
            return ""
        return f"Left out, being neither documents nor pictures in {PICTURES}: {_listing(self.left_out)}."


class _Entry(NamedTuple):
    path: str
    open: Callable[[], IO[bytes]]

    @property
    def is_document(self) -> bool:
        return PurePosixPath(self.path).suffix.lower() in ENDINGS

    @property
    def is_picture(self) -> bool:
        return PurePosixPath(self.path).suffix.lower() in PICTURE_ENDINGS

    @property
    def is_wanted(self) -> bool:
        return self.is_document or (self.is_picture and self.path.startswith(PICTURES))


# --- From what was sent to one zip --------------------------------------------------------------


def pack(files: Sequence[UploadedFile]) -> Packed:
    """Documents and pictures out of zips and loose files, each where the archive has it. Raises UploadError."""
    if sum(file.size or 0 for file in files) > MAX_UPLOAD:
        raise UploadError(f"That is more than {MAX_UPLOAD // MIB} MiB. Send it in parts.")
    names = [file.name or "" for file in files]
    loose: list[_Entry] = []
    with ExitStack() as stack:
        bundles = [loose]
        for name, file in zip(names, files, strict=True):
            if name.lower().endswith(".zip"):
                bundles.append(_from_top(_entries(name, file.read(), stack)))
            elif not _is_hidden(name):
                loose.append(_Entry(_checked(name), partial(file.open, "rb")))
        left_out = [entry.path for bundle in bundles for entry in bundle if not entry.is_wanted]
        bundles = [[entry for entry in bundle if entry.is_wanted] for bundle in bundles]
        return Packed(_written(bundles), _listing(names), left_out)


def _written(bundles: list[list[_Entry]]) -> bytes:
    """Our zip of the files in the bundles."""
    _check_count([entry for bundle in bundles for entry in bundle])
    content = io.BytesIO()
    with ZipFile(content, "w") as target:
        writer = _Writer(target)
        for bundle in bundles:
            places = _places(bundle)
            for entry in bundle:
                writer.add(entry, places)
    return content.getvalue()


def _check_count(entries: Sequence[_Entry]) -> None:
    if not any(entry.is_document for entry in entries):
        raise UploadError(f"There is no document in it, no file that ends in {', '.join(sorted(ENDINGS))}.")
    if len(entries) > MAX_FILES:
        raise UploadError(f"Those are {len(entries):,} files, and {MAX_FILES:,} is the most. Send them in parts.")


class _Writer:
    """Writes our zip, and counts what comes out of others: what their headers say proves nothing."""

    def __init__(self, target: ZipFile) -> None:
        self.target = target
        self.left = MAX_UNPACKED
        self.taken: dict[str, str] = {}  # files, and folders with a slash, by what file systems may confuse them by

    def add(self, entry: _Entry, places: Mapping[str, str]) -> None:
        data = self._read(entry)
        path = places.get(entry.path) or _new_place(entry.path, data)
        self._take(path)
        self.target.writestr(path, data, ZIP_DEFLATED if entry.is_document else ZIP_STORED)

    def _read(self, entry: _Entry) -> bytes:
        most = MAX_BYTES if entry.is_document else MAX_PICTURE_BYTES
        with _damage_told(_shown(entry.path)), entry.open() as stream:
            data = stream.read(min(most, self.left) + 1)
        if len(data) > most:
            raise UploadError(f"{_shown(entry.path)} is larger than {most // MIB} MiB.")
        if len(data) > self.left:
            raise UploadError(f"Unpacked, that is more than {MAX_UNPACKED // MIB} MiB. Send it in parts.")
        self.left -= len(data)
        return data

    def _take(self, path: str) -> None:
        if self.taken.get(_confusable(path)) == path:
            raise UploadError(f"{_shown(path)} is there twice.")
        folders = [f"{folder}/" for folder in PurePosixPath(path).parents if folder.name]
        for place in [path, *folders]:
            if (other := self.taken.setdefault(_confusable(place), place)) != place:
                raise UploadError(f"{_shown(other)} and {_shown(place)} are one file or folder to some systems.")


def _confusable(path: str) -> str:
    return unicodedata.normalize("NFC", path.rstrip("/")).casefold()


# --- Zips from outside --------------------------------------------------------------------------


def _entries(name: str, content: bytes, stack: ExitStack) -> list[_Entry]:
    """The files in a zip, none of them read yet."""
    if content.count(_DIRECTORY_ENTRY) > MAX_ENTRIES:
        raise UploadError(f"{_shown(name)} has more than {MAX_ENTRIES:,} entries. Send it in parts.")
    with _damage_told(_shown(name)):
        source = stack.enter_context(ZipFile(io.BytesIO(content)))
    found = [(_checked(_zipped_name(info)), info) for info in source.infolist()]
    found = [(path, info) for path, info in found if not _is_hidden(path) and not info.orig_filename.endswith("/")]
    for path, info in found:
        _check_kind(path, info)
    return [_Entry(path, partial(source.open, info)) for path, info in found]


@contextmanager
def _damage_told(shown: str) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise UploadError(f"{shown}: a name in it is not UTF-8.") from error
    except _DAMAGE as error:
        raise UploadError(f"{shown} is damaged, or not packed as a plain zip.") from error


def _zipped_name(info: ZipInfo) -> str:
    """The name as it was written: Python cuts it at a NUL, and takes it for DOS's code page unless told otherwise."""
    if info.flag_bits & _UTF8_NAME:
        return info.orig_filename
    try:
        return info.orig_filename.encode("cp437").decode()
    except UnicodeError as error:
        raise UploadError(f"The name {_shown(info.orig_filename)} is not UTF-8.") from error


def _checked(name: str) -> str:
    """The name as a plain path. Raises UploadError for one that leads elsewhere, or that file systems cannot hold."""
    for pattern, problem in _BAD_PATHS:
        if pattern.search(name):
            raise UploadError(f"{_shown(name)} {problem}.")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if any(len(part.encode()) > MAX_NAME for part in parts):
        raise UploadError(f"{_shown(name)} has a name of more than {MAX_NAME} bytes.")
    return "/".join(parts)


def _is_hidden(path: str) -> bool:
    """What file managers do not show, and macOS puts beside each file."""
    return any(part.startswith(".") or part == "__MACOSX" for part in path.split("/"))


def _check_kind(path: str, info: ZipInfo) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise UploadError(f"{_shown(path)} is encrypted.")
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        raise UploadError(f"{_shown(path)} is a link or a device, and no file.")
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):  # others may ask for gigabytes of memory
        raise UploadError(f"{_shown(path)} is not packed as a plain zip.")


# --- Where a file belongs -----------------------------------------------------------------------


def _from_top(entries: list[_Entry]) -> list[_Entry]:
    """Without the folders that all documents and pictures lie in: a site is often packed with its own folder."""
    while tops := {entry.path.partition("/")[:2] for entry in entries if entry.is_document or entry.is_picture}:
        top, slash = tops.pop()
        if tops or not slash or top in SITE_FOLDERS:
            break
        entries = [entry._replace(path=entry.path.removeprefix(f"{top}/")) for entry in entries]
    return entries


def _places(bundle: Sequence[_Entry]) -> dict[str, str]:
    """Where the archive has the files that it has. Those of a site are where they should be."""
    paths = [entry.path for entry in bundle]
    if any(path.startswith(("_news/", "_data/")) for path in paths):
        return {path: path for path in paths}
    return _in_archive({entry.path for entry in bundle if entry.is_document})


def _in_archive(paths: Collection[str]) -> dict[str, str]:
    """The one path in the archive that ends in each of `paths`, where there is one."""
    found: dict[str, list[str]] = {}
    for known in SourceFile.objects.order_by().values_list("path", flat=True).iterator() if paths else ():
        end = known
        while end:
            if end in paths:
                found.setdefault(end, []).append(known)
            end = end.partition("/")[2]
    return {
        path: path if path in known else known[0] for path, known in found.items() if len(known) == 1 or path in known
    }


def _new_place(path: str, data: bytes) -> str:
    """Where a file goes that the archive does not have: as it lies, or by its kind if it lies in no folder."""
    if "/" in path:
        return path
    match try_read((data, is_bare(path))):
        case ProviderDocument():
            return f"_data/organizations/{path}"
        case TopicDocument():
            return f"_data/topics/{path}"
    return f"_news/{path}"


# --- Words --------------------------------------------------------------------------------------


def _shown(name: str) -> str:
    """A stranger's file name, fit for a message."""
    plain = "".join(char if char.isprintable() else "?" for char in name)
    return f"“{plain if len(plain) <= 100 else f'…{plain[-99:]}'}”"


def _listing(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(_shown(name)[1:-1] for name in names[:NAMED]) + (f" and {more} more" if more > 0 else "")
