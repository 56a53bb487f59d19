"""The addresses in the admin that belong to no model: the desk, and what is done to many stories at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import path

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite
    from django.urls import URLPattern


def desk_urls(site: AdminSite) -> list[URLPattern]:
    """Each view behind `site.admin_view`, which lets only members of the staff in."""
    from articles.admin import batches, bulk, desk, previews  # the site is made before there are models
    from articles.admin.desk.routes import posted

    return [
        *desk.urls(site),
        *previews.urls(site),
        path("desk/bulk/", site.admin_view(posted(bulk.bulk)), name="desk_bulk"),
        path("desk/batch/<uuid:key>/", site.admin_view(batches.page), name="desk_batch"),
        path("desk/undo/", site.admin_view(posted(batches.undo)), name="desk_undo"),
    ]
