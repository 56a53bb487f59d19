"""Stories as readers would see them before they may: shown to editors, and to outsiders by a secret address that ends.

Nothing here writes anything but the links themselves and what the story's log says of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.core.handlers.exception import response_for_exception
from django.db import transaction
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from articles import workflow, working
from articles.bulk import find
from articles.cards import Lead, Named, Outlet, Report, Story, related_to, story_as_it_is
from articles.documents import ArticleDocument, ImageRef, ProviderRef, RelatedRef, topic_key
from articles.models import Article, Event, PreviewLink, Topic, WorkingCopy
from articles.records import article_document, with_parts
from articles.renewing import renewed
from articles.story_page import page_context
from images.models import RemoteImage
from images.shown import COLUMNS, Shown, shown
from providers.models import Provider, ProviderImage

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.db.models import QuerySet

LASTING = {1: "1 hour", 24: "1 day", 72: "3 days", 168: "1 week"}  # hours
USUALLY = 24
MOST_LINKS = 20  # of one story, at a time
MADE, REVOKED = "preview_link", "revoke_link"
HEADERS = {
    "Cache-Control": "private, no-store",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Referrer-Policy": "no-referrer",  # a link that is followed from here does not tell the secret address
}


class TooManyLinksError(Exception):
    """The story has as many links as it may. The message is for the editor."""


def kept_by_nobody(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For pages that neither a cache nor a search engine may have, whatever they answer."""

    @wraps(view)
    def marked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except (Http404, PermissionDenied) as error:
            response = response_for_exception(request, error)
        for name, value in HEADERS.items():
            response[name] = value
        return response

    return marked


# --- What is shown ------------------------------------------------------------------------------


def changes_of(article: Article) -> WorkingCopy | None:
    """The changes to the story that are not live yet, if there are any that can be read."""
    copy = working.copy_of(article.pk)
    return copy if copy and working.is_readable(copy) else None


def shown_page(article: Article, changes: WorkingCopy | None) -> dict[str, Any]:
    """For the story's template: as it is, or as the changes would make it, without pictures that they may not bring."""
    story = story_as_it_is(article.pk)
    if changes is None:
        return page_context(story, related_to(article.pk))
    live = article_document(with_parts(Article.objects.filter(pk=article.pk)).get())
    document, _ = renewed(live, working.document_of(changes))
    named = _Named(document)
    return page_context(_story(story, document, named), [named.report(each) for each in document.related])


_SAME = (
    *("title", "excerpt", "body", "type", "original_url", "web_url", "featured_content", "published_at", "updated_at"),
)


def _story(now: Story, document: ArticleDocument, named: _Named) -> Story:
    return Story(
        pk=now.pk,
        stem=now.stem,
        publish_at=now.publish_at,
        modified_at=now.modified_at,
        provider=named.outlet(document.provider),
        lead_image=named.lead(document.images),
        topics=tuple(named.topic(name) for name in document.topics),
        **{name: getattr(document, name) for name in _SAME},
    )


class _Named:
    """What a document names, as far as there is such a thing already; no more than looked up, in four queries."""

    def __init__(self, document: ArticleDocument) -> None:
        refs = [document.provider, *(report.provider for report in document.related)]
        uses = [document.images, *(report.images for report in document.related)]
        domains = {ref.domain for ref in refs if ref}
        keys = {topic_key(name) for name in document.topics}
        first = {images[0].url for images in uses if images}
        pictures = find(RemoteImage, "source_url", first, "source_url", *COLUMNS)
        self.providers: dict[str, str] = dict(find(Provider, "domain", domains, "domain", "name"))
        self.topics = {topic.key: topic for topic in Topic.objects.select_related("parent").filter(key__in=keys)}
        self.pictures = {url: shown(*row) for url, *row in pictures}

    def name(self, ref: ProviderRef | None) -> str | None:
        return self.providers.get(ref.domain, ref.name) if ref else None

    def outlet(self, ref: ProviderRef | None) -> Outlet | None:
        return Outlet(self.name(ref) or ref.domain, ref.domain, _logo(ref.domain)) if ref else None

    def topic(self, name: str) -> Named:
        if topic := self.topics.get(topic_key(name)):
            above = topic.parent
            parent = Named(above.pk, above.name, above.slug) if above else None
            return Named(topic.pk, topic.name, topic.slug, topic.parent_id, parent)
        return Named(0, name, Topic(name=name, key=topic_key(name)).slugify(name))

    def picture(self, images: tuple[ImageRef, ...]) -> Shown | None:
        """The first, where it has arrived."""
        return self.pictures.get(images[0].url) if images else None

    def lead(self, images: tuple[ImageRef, ...]) -> Lead | None:
        picture = self.picture(images)
        return Lead(picture, images[0].alt, images[0].title, images[0].attribution) if picture else None

    def report(self, ref: RelatedRef) -> Report:
        picture = self.picture(ref.images)
        name = self.name(ref.provider)
        return Report(ref.title, ref.excerpt, ref.web_url, ref.type, ref.published_at, name, picture)


def _logo(domain: str) -> Shown | None:
    logos = ProviderImage.objects.filter(provider__domain=domain)
    largest = logos.order_by(Coalesce("width", 0).desc(), "position", "pk")
    row = largest.values_list(*(f"image__{column}" for column in COLUMNS)).first()
    return shown(*row) if row else None


# --- Links --------------------------------------------------------------------------------------


def active_links(article: Article) -> QuerySet[PreviewLink]:
    """The newest first."""
    active = PreviewLink.objects.filter(article=article, revoked_at=None, expires_at__gt=timezone.now())
    return active.select_related("created_by")


@transaction.atomic
def make_link(article: Article, *, by: User, hours: int, shows_changes: bool = False) -> PreviewLink:
    """An address at which anybody may see the story for so many hours. Raises PermissionDenied, TooManyLinksError."""
    article = _to_edit(article, by)
    if active_links(article).count() >= MOST_LINKS:
        raise TooManyLinksError(f"There are {MOST_LINKS} links to this story already. Revoke some of them first.")
    expires_at = timezone.now() + timedelta(hours=hours)
    link = PreviewLink.objects.create(
        article=article, created_by=by, expires_at=expires_at, shows_changes=shows_changes
    )
    data = {"link": link.pk, "expires_at": expires_at.isoformat(), "shows_changes": shows_changes}
    Event.objects.create(article=article, actor=by, verb=MADE, note=f"For {LASTING[hours]}", data=data)
    return link


@transaction.atomic
def revoke_links(article: Article, links: Iterable[int] | None = None, *, by: User) -> int:
    """End these links to the story (None: all) at once. Returns how many. Raises PermissionDenied."""
    article = _to_edit(article, by)
    ending = active_links(article) if links is None else active_links(article).filter(pk__in=links)
    keys = list(ending.values_list("pk", flat=True))
    PreviewLink.objects.filter(pk__in=keys).update(revoked_at=timezone.now())
    if keys:
        note = f"{len(keys)} links" if len(keys) > 1 else ""
        Event.objects.create(article=article, actor=by, verb=REVOKED, note=note, data={"links": keys})
    return len(keys)


def _to_edit(article: Article, by: User) -> Article:
    """As it is now and stays meanwhile, for one who may change it."""
    now = Article.objects.select_for_update().only("status", "created_by").get(pk=article.pk)
    if not workflow.may_edit(now, by):
        raise PermissionDenied("You may share only what you may change.")
    return now
