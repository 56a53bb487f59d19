"""The newsroom's pages of pictures."""

from images.admin.pictures import RemoteImageAdmin

__all__ = ["RemoteImageAdmin"]
