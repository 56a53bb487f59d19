"""The addresses that readers and their programs use."""

from datetime import date

from django.urls import path, register_converter
from django.urls.converters import StringConverter

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


register_converter(DayConverter, "day")
register_converter(MonthConverter, "month")
register_converter(NameConverter, "name")

urlpatterns = [
    path("", views.home, name="home"),
    path("news/<name:stem>/", views.article, name="article"),
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
    path("feeds/all.atom", feeds.everything, name="feed"),
    path("feeds/topics/<name:slug>.atom", feeds.topic, name="topic_feed"),
    path("feeds/providers/<name:domain>.atom", feeds.provider, name="provider_feed"),
    path("api/topics/index.json", api.topics, name="api_topics"),
    path("api/news/index.json", api.news, name="api_news"),
    path("api/news/page/<int:number>/index.json", api.news, name="api_news_page"),
    path("api/news/<name:slug>/index.json", api.topic_news, name="api_topic_news"),
    path("api/news/<name:slug>/page/<int:number>/index.json", api.topic_news, name="api_topic_news_page"),
    path("sitemap.xml", sitemaps.sitemap, name="sitemap"),
    path("sitemap-<int:part>.xml", sitemaps.sitemap_part, name="sitemap_part"),
    path("news-sitemap.xml", sitemaps.news_sitemap, name="news_sitemap"),
    path("robots.txt", sitemaps.robots, name="robots"),
    path("healthz", views.healthz, name="healthz"),
]
