"""The tables."""

from articles.models.desk import Presence, PreviewLink, SavedView, WorkingCopy
from articles.models.history import Event, Revision
from articles.models.imports import Conflict, ImportedFile, ImportRun, ImportUpload, SourceFile
from articles.models.site import OldAddress, SiteVersion, TopicListing
from articles.models.stories import (
    Article,
    ArticleImage,
    ArticleQuerySet,
    ArticleTopic,
    RelatedImage,
    RelatedStory,
    Told,
    free_stem,
)
from articles.models.topics import Topic, TopicAlias, TopicImage

__all__ = [
    "Article",
    "ArticleImage",
    "ArticleQuerySet",
    "ArticleTopic",
    "Conflict",
    "Event",
    "ImportRun",
    "ImportUpload",
    "ImportedFile",
    "OldAddress",
    "Presence",
    "PreviewLink",
    "RelatedImage",
    "RelatedStory",
    "Revision",
    "SavedView",
    "SiteVersion",
    "SourceFile",
    "Told",
    "Topic",
    "TopicAlias",
    "TopicImage",
    "TopicListing",
    "WorkingCopy",
    "free_stem",
]
