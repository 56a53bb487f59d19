"""The three documents and their parts, as plain data. Field order is the order of keys in a written file."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from articles.documents.kinds import (
    AnyKind,
    DomainKind,
    FlagKind,
    ListKind,
    MomentKind,
    NestedKind,
    TextKind,
    TopicKind,
    UrlKind,
    WholeKind,
    key,
)

_TEXT = TextKind()
_TITLE = TextKind(longest=1000)
_WORD = TextKind(longest=50, quoted=False)
_NAME = TextKind(longest=200, quoted=False)
_TOPIC = TopicKind(longest=100, quoted=False, blank=False)
_LINE = TextKind(quoted=False)
_LINES = ListKind(TextKind(quoted=False, blank=False))
_URL = UrlKind()
_MOMENT = MomentKind()
_WHOLE = WholeKind()
_SIZE = WholeKind(positive=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRef:
    """A picture as a document names it. Sizes in pixels, as the source declares them."""

    url: str = key("url", UrlKind(paths=True))
    width: int | None = key("width", _SIZE, default=None)
    height: int | None = key("height", _SIZE, default=None)
    is_cached: bool | None = key("isCached", FlagKind(), default=None)
    title: str = key("title", _TEXT, default="")
    attribution: str = key("attribution", _TEXT, default="")
    alt: str = key("alt", _TEXT, default="")
    extra: dict[str, Any] = field(default_factory=dict)


_IMAGES = ListKind(NestedKind(ImageRef))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRef:
    """The outlet as an article names it. The domain is its identity."""

    name: str = key("name", _NAME)
    domain: str = key("domain", DomainKind())
    images: tuple[ImageRef, ...] = key("images", _IMAGES, default=())
    authors: Any = key("authors", AnyKind(), default=None)
    extra: dict[str, Any] = field(default_factory=dict)


_PROVIDER = NestedKind(ProviderRef)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedRef:
    """Another outlet on the same story."""

    title: str = key("title", _TITLE)
    excerpt: str = key("excerpt", _TEXT, default="")
    published_at: datetime | None = key("publishedDateTime", _MOMENT, default=None)
    web_url: str = key("webUrl", _URL)
    type: str = key("type", _WORD, default="")
    provider: ProviderRef | None = key("provider", _PROVIDER, default=None)
    quality: int | None = key("quality", _WHOLE, default=None)
    images: tuple[ImageRef, ...] = key("images", _IMAGES, default=())
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleDocument:
    """A story. Titles and excerpts are as the source wrote them, HTML entities included."""

    category: str = key("category", _WORD, default="news", always=True)
    title: str = key("title", _TITLE)
    excerpt: str = key("excerpt", _TEXT, default="")
    published_at: datetime = key("publishedDateTime", _MOMENT)
    updated_at: datetime | None = key("updatedDateTime", _MOMENT, default=None)
    original_url: str = key("originalUrl", _URL, default="")
    web_url: str = key("webUrl", _URL, default="")
    amp_web_url: str = key("ampWebUrl", _URL, default="")
    cdn_amp_web_url: str = key("cdnAmpWebUrl", _URL, default="")
    type: str = key("type", _WORD, default="article", always=True)
    quality: int | None = key("quality", _WHOLE, default=None)
    heat: int | None = key("heat", _WHOLE, default=None)
    published: bool = key("published", FlagKind(), default=False, always=True)
    featured_content: str = key("featuredContent", _TEXT, default="")
    provider: ProviderRef | None = key("provider", _PROVIDER, default=None)
    topics: tuple[str, ...] = key("topics", ListKind(_TOPIC), default=())
    images: tuple[ImageRef, ...] = key("images", _IMAGES, default=())
    related: tuple[RelatedRef, ...] = key("related", ListKind(NestedKind(RelatedRef)), default=())
    secured: str = key("secured", _TEXT, default="")
    extra: dict[str, Any] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderDocument:
    """An outlet described by a file of its own (`taxonomy: organization`)."""

    taxonomy: str = key("taxonomy", _WORD, default="organization", always=True)
    id: str = key("_id", TextKind(longest=253, quoted=False), default="")
    name: str = key("name", _NAME)
    other_names: tuple[str, ...] = key("otherNames", _LINES, default=())
    domain: str = key("domain", DomainKind())
    description: str = key("description", _LINE, default="")
    images: tuple[ImageRef, ...] = key("images", _IMAGES, default=())
    extra: dict[str, Any] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicDocument:
    """A topic described by a file of its own (`taxonomy: topic`)."""

    taxonomy: str = key("taxonomy", _WORD, default="topic", always=True)
    id: str = key("_id", TextKind(longest=200, quoted=False), default="")
    name: str = key("name", _TOPIC)
    shortname: str = key("shortname", TextKind(longest=100, quoted=False), default="")
    parent: str = key("parent", _TOPIC, default="")
    description: str = key("description", _LINE, default="")
    keywords: tuple[str, ...] = key("keywords", _LINES, default=())
    hashtags: tuple[str, ...] = key("hashtags", _LINES, default=())
    images: tuple[ImageRef, ...] = key("images", _IMAGES, default=())
    services: Any = key("services", AnyKind(), default=None)
    extra: dict[str, Any] = field(default_factory=dict)
    body: str = ""


Document = ArticleDocument | ProviderDocument | TopicDocument
