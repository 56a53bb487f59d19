"""Pictures in an S3-compatible store, for several machines. Needs requirements-scale.txt."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from storages.backends.s3 import S3Storage

IMMUTABLE = "public, max-age=31536000, immutable"  # names tell the content


class ObjectStorage(S3Storage):
    """Readers get the pictures from MEDIA_URL: no page asks the store for an address, and none is signed."""

    def url(self, name: str, *args: Any, **kwargs: Any) -> str:
        return urljoin(settings.MEDIA_URL, name)

    def get_object_parameters(self, name: str) -> dict[str, Any]:
        """What the store says with each picture, where it serves readers itself."""
        return super().get_object_parameters(name) | {"CacheControl": IMMUTABLE}
