"""Between the form of a story and its document: what a posted form means, and how a form shows what is not the row."""

from __future__ import annotations

import dataclasses
import html
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from articles.documents import (
    ArticleDocument,
    ImageRef,
    ProviderRef,
    RelatedRef,
    from_data,
    to_data,
    topic_key,
)
from articles.merging import same
from articles.models import Article, ArticleImage, RelatedStory, Topic
from articles.renewing import unknown_topics
from images import tasks
from images.models import RemoteImage
from images.newsroom import is_key
from providers.models import Provider

if TYPE_CHECKING:
    from django.forms import BaseModelFormSet, ModelForm
    from django.http import QueryDict

Item = TypeVar("Item", ImageRef, RelatedRef)
T = TypeVar("T", ArticleDocument, ImageRef, RelatedRef)
SPELT = frozenset({"title", "excerpt"})  # stored in the source's spelling, shown as readers see them
FIELDS = (
    *("title", "excerpt", "category", "type", "published_at", "updated_at"),
    *("original_url", "web_url", "amp_web_url", "cdn_amp_web_url", "quality", "featured_content", "body"),
)
PICTURE_FIELDS = ("title", "attribution", "alt")
RELATED_FIELDS = ("title", "excerpt", "web_url", "published_at", "type", "quality")
PLACE = "place"  # of a row, what it was in the form that was opened
BESIDE = ("stem", "no_picture")  # fields of the form that no document holds


# --- What a form means --------------------------------------------------------------------------


def document_from(form: ModelForm, formsets: Iterable[BaseModelFormSet], base: ArticleDocument) -> ArticleDocument:
    """The document that a valid form and its formsets mean, when they began as `base`: what was not edited is as it is
    there. Nothing is stored. Raises DocumentError where the importer would not take a value."""
    data = form.cleaned_data
    changes: dict[str, Any] = _edited(form, base, FIELDS)
    if "heat" in form.changed_data:  # since the form was shown: imports change it without a new version
        changes["heat"] = data["heat"]
    if "provider" in form.fields:
        changes["provider"] = _outlet(data["provider"], base.provider)
    changes["topics"] = _topics(data["topics"], base.topics)
    for formset in formsets:
        if formset.prefix == "pictures":
            changes["images"] = _pictures(formset, base.images)
        elif formset.prefix == "related_stories":
            changes["related"] = _related(formset, base.related)
    return checked(dataclasses.replace(base, **changes))


def checked(document: ArticleDocument) -> ArticleDocument:
    """The document as it will be read again."""
    again = from_data(to_data(document))
    assert isinstance(again, ArticleDocument)  # noqa: S101
    return again


def _edited(form: ModelForm, base: T, names: Collection[str]) -> dict[str, Any]:
    """The values of the fields that say something else than a form that shows `base` would if it was left alone."""
    return {
        name: form.cleaned_data[name]
        for name in names
        if name in form.fields and form.fields[name].has_changed(_as_shown(name, getattr(base, name)), form[name].data)
    }


def _as_shown(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(microsecond=0)
    return html.unescape(value) if name in SPELT else value


def _outlet(provider: Provider | None, before: ProviderRef | None) -> ProviderRef | None:
    if provider is None:
        return None
    if before is not None and before.domain == provider.domain:
        return before
    return ProviderRef(name=provider.name, domain=provider.domain)


def _topics(chosen: Iterable[Topic], before: tuple[str, ...]) -> tuple[str, ...]:
    """A topic that has been deleted is none that a form can show: nobody has taken it away there."""
    topics = tuple(topic.name for topic in chosen)
    if same("topics", topics, before):
        return before
    unknown = unknown_topics(before)
    shown = tuple(name for name in before if topic_key(name) not in unknown)
    if same("topics", topics, shown):
        return before
    return (*topics, *(name for name in before if topic_key(name) in unknown))


def _rows(formset: BaseModelFormSet) -> list[Any]:
    """The rows that stay, in the order of their positions; those that have none come last."""
    rows = [form for form in formset.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]
    return sorted(rows, key=_position)


def _position(form: ModelForm) -> float:
    position = form.cleaned_data.get("position")
    return float("inf") if position is None else position


def _pictures(formset: BaseModelFormSet, before: Sequence[ImageRef]) -> tuple[ImageRef, ...]:
    """By address: another address is another picture, of which nothing else is known."""
    pictures, found = [], Counter[str]()
    for form in _rows(formset):
        url = form.cleaned_data["address"]
        began = _began_as(form, before)
        if began is None or began.url != url:
            began = _nth([image for image in before if image.url == url], found[url])
        found[url] += 1
        image = began or ImageRef(url=url)
        pictures.append(dataclasses.replace(image, **_edited(form, image, PICTURE_FIELDS)))
    return tuple(pictures)


def _related(formset: BaseModelFormSet, before: Sequence[RelatedRef]) -> tuple[RelatedRef, ...]:
    """By web address, as it is now or as it was in the row."""
    known = {story.web_url: story for story in before}
    stories = []
    for form in _rows(formset):
        url = form.cleaned_data["web_url"]
        began = _began_as(form, before)
        if began is None or began.web_url != url:
            began = known.get(url) or began
        story = began or RelatedRef(title="", web_url="")
        provider = _outlet(form.cleaned_data.get("provider"), story.provider)
        stories.append(dataclasses.replace(story, provider=provider, **_edited(form, story, RELATED_FIELDS)))
    return tuple(stories)


def _began_as(form: ModelForm, before: Sequence[Item]) -> Item | None:
    """What the row showed at first, by the place that it had."""
    place = form.data.get(form.add_prefix(PLACE), "")
    return _nth(before, int(place)) if is_key(place) else None


def _nth(items: Sequence[Item], number: int) -> Item | None:
    return items[number] if number < len(items) else None


def beside_from(form: ModelForm) -> dict[str, tuple[Any, Any]]:
    """What was edited that no document holds: what the form showed, and what it says now."""
    return {
        name: (_shown_at_first(form, name), form.cleaned_data[name])
        for name in BESIDE
        if name in form.fields and name in form.changed_data
    }


def _shown_at_first(form: ModelForm, name: str) -> Any:
    field = form.fields[name]
    return field.to_python(form.data.get(form.add_initial_prefix(name)))


def want_pictures(document: ArticleDocument, before: ArticleDocument) -> None:
    """Have pictures fetched that are new to the story."""
    for url in {image.url for image in document.images} - {image.url for image in before.images}:
        tasks.wanted(url)


# --- Rows that are not there any more -----------------------------------------------------------


def with_rows_that_are_there(data: QueryDict, prefix: str, there: Collection[int]) -> QueryDict:
    """The data of a formset in which rows whose records have gone (an import replaces them) are new ones, behind those
    that are there. Those that were to be deleted are left out. All keep their places."""
    total, initial = (data.get(f"{prefix}-{name}_FORMS", "") for name in ("TOTAL", "INITIAL"))
    if not is_key(total) or not is_key(initial):
        return data  # the formset says what is wrong with it
    rows = [_row(data, f"{prefix}-{number}-") for number in range(min(int(total), len(data)))]
    for number, row in enumerate(rows[: int(initial)]):
        row[PLACE] = [str(number)]
    keys = [row.get("id", [""])[-1] for row in rows]
    is_there = [is_key(key) and int(key) in there for key in keys]
    old = [row for row, stays in zip(rows, is_there, strict=True) if stays]
    new = [row | {"id": [""]} for row, stays in zip(rows, is_there, strict=True) if not stays and "DELETE" not in row]
    changed = data.copy()
    for number, row in enumerate(rows):
        for name in row.keys() - {PLACE}:
            del changed[f"{prefix}-{number}-{name}"]
    for number, row in enumerate([*old, *new]):
        for name, values in row.items():
            changed.setlist(f"{prefix}-{number}-{name}", values)
    changed[f"{prefix}-TOTAL_FORMS"] = str(len(old) + len(new))
    changed[f"{prefix}-INITIAL_FORMS"] = str(len(old))
    return changed


def _row(data: QueryDict, prefix: str) -> dict[str, list[str]]:
    return {name.removeprefix(prefix): values for name, values in data.lists() if name.startswith(prefix)}


# --- A document in the form ---------------------------------------------------------------------


def initial_from(document: ArticleDocument) -> dict[str, Any]:
    """What the fields of the form show of a document."""
    topics = dict(Topic.objects.filter(key__in=map(topic_key, document.topics)).values_list("key", "pk"))
    provider = document.provider and Provider.objects.filter(domain=document.provider.domain).first()
    values = {name: _as_shown(name, getattr(document, name)) for name in FIELDS}
    keys = [topics[key] for key in map(topic_key, document.topics) if key in topics]
    return values | {"heat": document.heat, "provider": provider and provider.pk, "topics": keys}


def rows_from(prefix: str, document: ArticleDocument, article: Article) -> list[Any]:
    """What the rows of a formset show of a document: records that are not stored."""
    if prefix == "pictures":
        return list(_shown_pictures(document, article))
    return list(_shown_stories(document, article))


def _shown_pictures(document: ArticleDocument, article: Article) -> Iterator[ArticleImage]:
    images = _images_of(document.images)
    for position, ref in enumerate(document.images):
        values = {name: getattr(ref, name) for name in PICTURE_FIELDS}
        yield _as_if_stored(ArticleImage(article=article, image=images[ref.url], position=position, **values))


def _shown_stories(document: ArticleDocument, article: Article) -> Iterator[RelatedStory]:
    images = _images_of(image for story in document.related for image in story.images[:1])
    domains = [story.provider.domain for story in document.related if story.provider]
    providers = {provider.domain: provider for provider in Provider.objects.filter(domain__in=domains)}
    for position, ref in enumerate(document.related):
        values = {name: getattr(ref, name) for name in RELATED_FIELDS}
        provider = providers.get(ref.provider.domain) if ref.provider else None
        story: Any = RelatedStory(article=article, position=position, provider=provider, **values)
        story.shown_picture = images[ref.images[0].url] if ref.images else None
        yield _as_if_stored(story)


def _images_of(refs: Iterable[ImageRef]) -> Mapping[str, RemoteImage]:
    urls = {ref.url for ref in refs}
    found = {image.source_url: image for image in RemoteImage.objects.filter(source_url__in=urls)}
    return {url: found.get(url) or RemoteImage(source_url=url) for url in urls}


def _as_if_stored(record: Any) -> Any:
    record._state.adding = False  # so that forms show it, and do not offer it as an empty row
    return record
