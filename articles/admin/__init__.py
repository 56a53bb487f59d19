"""The editors' admin: stories, topics and what happened to them."""

from articles.admin.events import EventAdmin
from articles.admin.stories import ArticleAdmin
from articles.admin.topics import TopicAdmin

__all__ = ["ArticleAdmin", "EventAdmin", "TopicAdmin"]
