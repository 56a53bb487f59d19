"""Files that editors upload: first a dry run, then, when somebody confirms it, the import.

run = preview(pack(files), by=user, …)       changes nothing; the files wait in the database
run = confirm(run, by=user)                  the real run, once
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from zipfile import ZipFile

from django.utils import timezone

from articles.importing import Options, import_paths
from articles.importing.packing import Packed
from articles.models import ImportRun, ImportUpload

if TYPE_CHECKING:
    from django.contrib.auth.models import User

KEPT_FOR = timedelta(days=1)


class UploadGoneError(Exception):
    """The files wait no more: somebody has confirmed or discarded them, or a day has passed."""


def preview(packed: Packed, *, as_drafts: bool, overwrite: bool, by: User) -> ImportRun:
    """Import without effect, and keep the files for the confirmation. Raises ImportBusyError."""
    options = Options(dry_run=True, workers=1, wait=False, uploaded=True, as_drafts=as_drafts, overwrite=overwrite)
    run = _import(packed.content, options, packed.what, by)
    ImportUpload.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()
    ImportUpload.objects.create(run=run, content=packed.content)
    return run


def confirm(run: ImportRun, *, by: User) -> ImportRun:
    """Import what `run` was the preview of. Raises UploadGoneError, and ImportBusyError: then the files wait on."""
    upload = ImportUpload.objects.filter(run=run).first()
    if upload is None or not discard(run):  # whoever deletes the row is who imports
        raise UploadGoneError
    chosen = {name: bool(run.options.get(name)) for name in ("as_drafts", "overwrite")}
    options = Options(workers=1, wait=False, uploaded=True, **chosen)
    try:
        return _import(bytes(upload.content), options, run.what, by)
    except BaseException:  # a server that ends a slow request raises SystemExit
        upload.save(force_insert=True)
        raise


def discard(run: ImportRun) -> bool:
    """Whether the files were still there."""
    return bool(ImportUpload.objects.filter(run=run).delete()[0])


def _import(content: bytes, options: Options, what: str, by: User) -> ImportRun:
    with _unpacked(content) as folder:
        return import_paths([folder], options, by=by, what=what).run


@contextmanager
def _unpacked(content: bytes) -> Iterator[Path]:
    """The files of a zip of ours, as a tree."""
    with TemporaryDirectory(prefix="copydesk-upload-") as name, ZipFile(io.BytesIO(content)) as packed:
        Path(name, "_news").mkdir()  # which marks the tree's root
        packed.extractall(name)
        yield Path(name)
