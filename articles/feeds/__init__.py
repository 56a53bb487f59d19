"""What feed readers subscribe to: everything, a topic, a provider, a search; each as Atom and as JSON Feed."""

from articles.feeds.atom import ATOM
from articles.feeds.json_feed import JSON_FEED
from articles.feeds.views import everything, found, provider, topic

__all__ = ["ATOM", "JSON_FEED", "everything", "found", "provider", "topic"]
