"""Pictures that lie in the imported tree: cached from there, never fetched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from articles.documents import ArticleDocument, Document, ImageRef
from articles.importing.storing import Stored
from articles.importing.trees import TreeFile, asset
from images import caching
from images.models import RemoteImage


def cache_assets(stored: Sequence[Stored], *, dry_run: bool) -> Iterator[tuple[TreeFile, str]]:
    """Cache the pictures these documents name by a path within the site, and yield (file, warning) for each that
    is not there or no picture. Not in a transaction; a dry run only looks whether the files are there."""
    wanted: dict[str, TreeFile] = {}
    for each in stored:
        for ref in _images(each.parsed.document):
            if ref.url.startswith("/"):
                wanted.setdefault(ref.url, each.parsed.file)
    waiting = RemoteImage.objects.filter(source_url__in=wanted).exclude(state=RemoteImage.State.CACHED)
    found: list[tuple[RemoteImage, Path]] = []
    for image in waiting.order_by("pk"):
        file = wanted[image.source_url]
        if path := asset(file.root, image.source_url):
            found.append((image, path))
            continue
        if not dry_run:
            caching.mark_failed(image, "not_in_tree", "The imported tree holds no such file.")
        yield file, f"picture {image.source_url}: the tree holds no such file"
    if not dry_run:
        for image in caching.store_files(found).failed:
            yield wanted[image.source_url], f"picture {image.source_url}: {image.detail}"


def _images(document: Document) -> Iterable[ImageRef]:
    if not isinstance(document, ArticleDocument):
        return document.images
    own = list(document.images)
    if document.provider:
        own += document.provider.images
    for story in document.related:
        own += [*story.images, *(story.provider.images if story.provider else ())]
    return own
