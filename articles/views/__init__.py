"""The readers' pages. What is public is decided in `articles.public`; nothing here asks for more."""

from articles.views.archive import archive, archive_day, archive_month, this_week, today
from articles.views.cards import card, site_card
from articles.views.front import home
from articles.views.health import healthz
from articles.views.preview import preview
from articles.views.providers import provider_index, provider_page
from articles.views.searching import search_page, search_suggest
from articles.views.story import article
from articles.views.topics import topic_index, topic_page

__all__ = [
    "archive",
    "archive_day",
    "archive_month",
    "article",
    "card",
    "healthz",
    "home",
    "preview",
    "provider_index",
    "provider_page",
    "search_page",
    "search_suggest",
    "site_card",
    "this_week",
    "today",
    "topic_index",
    "topic_page",
]
