"""Every address of the site."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("articles.urls")),
]
if settings.MEDIA_URL.startswith("/"):  # else another host serves the pictures
    urlpatterns.append(path(settings.MEDIA_URL.strip("/") + "/", include("images.urls")))
