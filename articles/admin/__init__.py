"""The editors' admin: stories, topics, where they came from and what happened to them."""

from articles.admin.events import EventAdmin
from articles.admin.imports import ImportRunAdmin
from articles.admin.sources import SourceFileAdmin
from articles.admin.stories import ArticleAdmin
from articles.admin.topics import TopicAdmin

__all__ = ["ArticleAdmin", "EventAdmin", "ImportRunAdmin", "SourceFileAdmin", "TopicAdmin"]
