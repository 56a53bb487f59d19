"""The addresses that readers and their programs use."""

from collections.abc import Callable
from datetime import date

from django.http import HttpResponse
from django.urls import URLPattern, path, register_converter
from django.urls.converters import IntConverter, StringConverter

from articles import api, feeds, sitemaps, views
from articles.days import Month


class DayConverter:
    """`2023/09/14`; a day that no calendar has is no match, hence a 404."""

    regex = "[12][0-9]{3}/[0-9]{2}/[0-9]{2}"

    def to_python(self, value: str) -> date:
        return date.fromisoformat(value.replace("/", "-"))

    def to_url(self, value: date) -> str:
        return value.isoformat().replace("-", "/")


class MonthConverter:
    """`2023/09`."""

    regex = "[12][0-9]{3}/(?:0[1-9]|1[0-2])"

    def to_python(self, value: str) -> Month:
        return Month(*map(int, value.split("/")))

    def to_url(self, value: Month) -> str:
        return f"{value.year}/{value.month:02}"


class NameConverter(StringConverter):
    """One part of an address, without the NUL that no name holds and PostgreSQL refuses to look for."""

    regex = r"[^/\x00]+"


class NumberConverter(IntConverter):
    """In one spelling: without zeros before it."""

    regex = "0|[1-9][0-9]*"


class KindConverter(StringConverter):
    """What has pages of its own."""

    regex = "article|topic|provider"


class DigestConverter(StringConverter):
    regex = "[0-9a-f]{20}"


register_converter(DayConverter, "day")
register_converter(KindConverter, "kind")
register_converter(DigestConverter, "digest")
register_converter(MonthConverter, "month")
register_converter(NameConverter, "name")
register_converter(NumberConverter, "number")


def in_both_forms(route: str, view: Callable[..., HttpResponse], name: str) -> list[URLPattern]:
    """A feed as Atom, and beside it as JSON Feed."""
    return [
        path(f"{route}.atom", view, {"form": feeds.ATOM}, name),
        path(f"{route}.json", view, {"form": feeds.JSON_FEED}, f"{name}_json"),
    ]


urlpatterns = [
    path("", views.home, name="home"),
    path("news/<name:stem>/", views.article, name="article"),
    path("preview/<name:token>/", views.preview, name="preview"),
    path("topics/", views.topic_index, name="topics"),
    path("topics/<name:slug>/", views.topic_page, name="topic"),
    path("providers/", views.provider_index, name="providers"),
    path("providers/<name:domain>/", views.provider_page, name="provider"),
    path("archive/", views.archive, name="archive"),
    path("archive/<month:month>/", views.archive_month, name="archive_month"),
    path("archive/<day:day>/", views.archive_day, name="archive_day"),
    path("today/", views.today, name="today"),
    path("this-week/", views.this_week, name="this_week"),
    path("search/", views.search_page, name="search"),
    path("search/suggest/", views.search_suggest, name="search_suggest"),
    *in_both_forms("feeds/all", feeds.everything, "feed"),
    *in_both_forms("feeds/topics/<name:slug>", feeds.topic, "topic_feed"),
    *in_both_forms("feeds/providers/<name:domain>", feeds.provider, "provider_feed"),
    *in_both_forms("feeds/search", feeds.found, "search_feed"),
    path("share/site/<digest:digest>.png", views.site_card, name="site_card"),
    path("share/<kind:kind>/<number:pk>/<digest:digest>.png", views.card, name="card"),
    path("api/topics/index.json", api.topics, name="api_topics"),
    path("api/news/index.json", api.news, name="api_news"),
    path("api/news/page/<number:number>/index.json", api.news, name="api_news_page"),
    path("api/news/<name:slug>/index.json", api.topic_news, name="api_topic_news"),
    path("api/news/<name:slug>/page/<number:number>/index.json", api.topic_news, name="api_topic_news_page"),
    path("sitemap.xml", sitemaps.sitemap, name="sitemap"),
    path("sitemap-<number:part>.xml", sitemaps.sitemap_part, name="sitemap_part"),
    path("news-sitemap.xml", sitemaps.news_sitemap, name="news_sitemap"),
    path("robots.txt", sitemaps.robots, name="robots"),
    path("healthz", views.healthz, name="healthz"),
]
