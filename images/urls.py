"""Renditions only, and only by their full names. Originals are never served: nobody has looked into them."""

from django.urls import re_path

from images.views import rendition

app_name = "images"
urlpatterns = [
    re_path(
        r"^renditions/(?P<prefix>[0-9a-f]{2})/(?P<content_hash>(?P=prefix)[0-9a-f]{62})"
        r"-(?P<width>[1-9][0-9]{0,3})\.(?P<extension>webp|jpg|png)\Z",
        rendition,
        name="rendition",
    )
]
