"""What an older document says, made fit for today: with the names that topics and outlets have by now, and without
pictures that nobody may show any more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from articles.documents import ArticleDocument, ImageRef, ProviderRef, topic_key
from articles.models import OldAddress, Topic, TopicAlias
from images.models import RemoteImage
from providers.models import Provider


def renewed(now: ArticleDocument, after: ArticleDocument) -> tuple[ArticleDocument, int]:
    """What a story that says `now` is to say, and how many pictures were left out of it."""
    return _without_withheld(now, with_present_names(after))


# --- Pictures -----------------------------------------------------------------------------------


def _without_withheld(now: ArticleDocument, after: ArticleDocument) -> tuple[ArticleDocument, int]:
    """A takedown of all pictures of an outlet takes those that its stories have by then: one that comes back later is
    none of them, and would be shown."""
    withheld = _withheld(after, shown={image.url for image in _pictures(now)})
    if not withheld:
        return after, 0
    related = tuple(replace(story, images=_without(story.images, withheld)) for story in after.related)
    return replace(after, images=_without(after.images, withheld), related=related), len(withheld)


def _pictures(document: ArticleDocument) -> list[ImageRef]:
    return [*document.images, *(image for story in document.related for image in story.images)]


def _without(images: Iterable[ImageRef], withheld: set[str]) -> tuple[ImageRef, ...]:
    return tuple(image for image in images if image.url not in withheld)


def _withheld(document: ArticleDocument, shown: set[str]) -> set[str]:
    """The addresses of pictures of outlets whose pictures are all taken down; of those that are not `shown` now."""
    places = [(document.provider, document.images), *((story.provider, story.images) for story in document.related)]
    domains = {outlet.domain for outlet, _ in places if outlet}
    silent = set(Provider.objects.filter(domain__in=domains).exclude(no_pictures="").values_list("domain", flat=True))
    theirs = {image.url for outlet, images in places if outlet and outlet.domain in silent for image in images} - shown
    if not theirs:
        return theirs
    uploaded = RemoteImage.objects.filter(source_url__in=theirs, by_hand=True)
    return theirs.difference(uploaded.values_list("source_url", flat=True))


# --- Names --------------------------------------------------------------------------------------


def with_present_names(document: ArticleDocument) -> ArticleDocument:
    """With the topics and outlets that are called otherwise since as they are called now: else each would be made a
    second time. What is not there any more stays as it is."""
    return _with_present_topics(_with_present_outlets(document))


def _with_present_topics(document: ArticleDocument) -> ArticleDocument:
    unknown = unknown_topics(document.topics)
    renamed = dict(TopicAlias.objects.filter(key__in=unknown).values_list("key", "topic__name"))
    names = dict.fromkeys(renamed.get(topic_key(name), name) for name in document.topics)
    return replace(document, topics=tuple(names)) if renamed else document


def unknown_topics(names: Iterable[str]) -> set[str]:
    """The keys of those that no topic has now."""
    keys = set(map(topic_key, names))
    return keys.difference(Topic.objects.filter(key__in=keys).order_by().values_list("key", flat=True))


def _with_present_outlets(document: ArticleDocument) -> ArticleDocument:
    refs = [document.provider, *(story.provider for story in document.related)]
    domains = {ref.domain for ref in refs if ref}
    unknown = domains.difference(Provider.objects.filter(domain__in=domains).values_list("domain", flat=True))
    if not unknown:
        return document
    moved = OldAddress.objects.filter(kind=OldAddress.Kind.PROVIDER, name__in=unknown).select_related("provider")
    outlets = {each.name: each.provider for each in moved if each.provider}

    def known(ref: ProviderRef | None) -> ProviderRef | None:
        outlet = outlets.get(ref.domain) if ref else None
        return ProviderRef(name=outlet.name, domain=outlet.domain) if outlet else ref

    related = tuple(replace(story, provider=known(story.provider)) for story in document.related)
    return replace(document, provider=known(document.provider), related=related)
