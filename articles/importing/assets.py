"""Pictures that lie in the imported tree: cached from there, never fetched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from articles.importing.batches import Parsed
from articles.reading.trees import TreeFile, asset
from images import caching
from images.models import RemoteImage


def pictures_in_tree(parsed: Parsed) -> list[str]:
    """The addresses in a document that are paths within the site."""
    if rows := parsed.reading.rows:
        logos = (use for provider in rows.providers() for use in provider.logos)
        addresses = [use.url for use in chain(rows.all_pictures(), logos)]
    else:
        addresses = [ref.url for ref in parsed.document.images]
    return [url for url in addresses if url.startswith("/")]


def cache_pictures(
    roots: Sequence[Path], named: Mapping[str, TreeFile], *, dry_run: bool
) -> Iterator[tuple[TreeFile, str]]:
    """Cache what lies in the trees and is not cached, or has changed since; yield (file, warning) for each of the
    `named` pictures that is not there or is no picture. Not in a transaction; a dry run only looks.

    All site-relative pictures are looked at, not just the named: one may have been added to the tree since, and a run
    may have been killed before it came this far. But not what was taken down, or replaced by hand.
    """
    found: list[tuple[RemoteImage, Path]] = []
    ours_to_change = RemoteImage.objects.filter(source_url__startswith="/", by_hand=False)
    ours_to_change = ours_to_change.exclude(state=RemoteImage.State.TAKEN_DOWN)
    keys = ours_to_change.order_by("pk").values_list("pk", flat=True)
    for image in caching.by_keys(list(keys)):
        path = next((path for root in roots if (path := asset(root, image.source_url))), None)
        if path and not _is_current(image, path):
            found.append((image, path))
        elif not path and not image.has_picture and image.source_url in named:
            if not dry_run:
                caching.mark_failed(image, "not_in_tree", "The imported tree holds no such file.")
            yield named[image.source_url], f"picture {image.source_url}: the tree holds no such file"
    if not dry_run:
        for image in caching.store_files(found).failed:
            if image.source_url in named:
                yield named[image.source_url], f"picture {image.source_url}: {image.detail}"


def _is_current(image: RemoteImage, path: Path) -> bool:
    """Whether the file was cached after it was last written."""
    return image.has_picture and image.fetched_at is not None and path.stat().st_mtime <= image.fetched_at.timestamp()
