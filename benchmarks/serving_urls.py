"""The site's addresses, and the yardstick: a constant page of 11 kB that passes through all that other pages do."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

PAGE = "<!doctype html><title>Constant</title>" + "<p>All that is constant is this paragraph." * 260


def constant(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE)


urlpatterns = [path("constant/", constant), path("", include("config.urls"))]
