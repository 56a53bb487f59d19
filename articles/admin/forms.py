"""The forms of a story and of its related coverage."""

from __future__ import annotations

import html
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import (
    AutocompleteSelect,
    AutocompleteSelectMultiple,
    RelatedFieldWidgetWrapper,
)
from django.core.validators import RegexValidator
from django.utils import timezone
from django.utils.formats import time_format

from articles.documents import make_stem
from articles.models import Article, ArticleTopic, RelatedStory, Topic, free_stem
from images.forms import KeepsUntouched, PlacedForm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from providers.models import Provider


def as_source(text: str) -> str:
    """Plain text as a source spells it: `&` only where it could be taken for the start of an entity."""
    return text if html.unescape(text) == text else text.replace("&", "&amp;")


class ReadersTextForm(forms.ModelForm):
    """Shows title and excerpt as readers see them and stores what was edited in the source's spelling."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.initial.update(title=self.instance.headline, excerpt=self.instance.summary)

    def clean_title(self) -> str:
        return as_source(self.cleaned_data["title"])

    def clean_excerpt(self) -> str:
        return as_source(self.cleaned_data["excerpt"])


class OrderedTopicsSelect(AutocompleteSelectMultiple):
    """Options in the order of the value, which is the order the browser sends them in."""

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        groups = super().optgroups(name, value, attr)
        groups[0][1].sort(key=lambda option: list(value).index(str(option["value"])))
        return groups


class OrderedTopicsField(forms.ModelMultipleChoiceField):
    """Topics in the order they were chosen."""

    def __init__(self, **kwargs: Any) -> None:
        key = ArticleTopic._meta.get_field("tag")
        select = OrderedTopicsSelect(key, admin.site)
        wrapped = RelatedFieldWidgetWrapper(select, key.remote_field, admin.site)
        super().__init__(Topic.objects.all(), widget=wrapped, **kwargs)

    def clean(self, value: Any) -> Any:
        chosen = {str(topic.pk): topic for topic in super().clean(value)}
        return [chosen[key] for key in dict.fromkeys(map(str, value or []))]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return [str(key) for key in initial or []] != [str(key) for key in data or []]


class ArticleForm(ReadersTextForm, KeepsUntouched):
    may_add_topics = False  # the admin's subclass for each request says so

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    topics = OrderedTopicsField(
        required=False,
        help_text="The first is the main one. To move a topic to the end, remove it and add it again.",
    )

    class Meta:
        model = Article
        fields = [
            *("title", "excerpt", "category", "type", "published_at", "updated_at", "stem", "provider"),
            *("original_url", "web_url", "amp_web_url", "cdn_amp_web_url", "quality", "heat"),
            *("featured_content", "body"),
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.initial["version"] = self.instance.version
            self.initial["topics"] = [item.tag_id for item in self.instance.topic_items.all()]
        self.fields["topics"].widget.can_add_related = self.may_add_topics
        if "heat" in self.fields:
            # Imports change the heat and nothing else, without a new version: what counts as an edit is a
            # difference to what this form showed, not to what has come in since.
            self.fields["heat"].show_hidden_initial = True
        if "stem" in self.fields:
            self.fields["stem"].required = False
            self.fields["stem"].help_text = "Left blank, it is made from the date and the title."
            self.fields["stem"].validators.append(_is_stem)

    def clean_stem(self) -> str:
        return self.cleaned_data["stem"] or self.instance.stem

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.instance._state.adding and cleaned.get("version") != self.instance.version:
            raise forms.ValidationError(_stale(self.instance), code="stale")
        if "stem" in self.fields and not cleaned.get("stem") and cleaned.get("title"):
            day = cleaned.get("published_at") or timezone.now()
            cleaned["stem"] = free_stem(make_stem(day, html.unescape(cleaned["title"])))
        return cleaned


_is_stem = RegexValidator(r"^[\w.~-]+\Z", "Letters, digits, hyphens, dots and underscores only.")


def _stale(article: Article) -> str:
    last = article.events.select_related("actor").first()
    who = str(last.actor) if last and last.actor else "Someone"
    return (
        f"{who} changed this story {_when(last.at if last else article.modified_at)}, after you opened it. "
        "Nothing was saved; your text is still in this form. Open the story in another tab to compare."
    )


def _when(at: datetime) -> str:
    local = timezone.localtime(at)
    day = "" if local.date() == timezone.localdate() else f" on {local:%-d %B}"
    return f"at {time_format(local, 'H:i')}{day}"


class LoadedAutocomplete(AutocompleteSelect):
    """Names the choice that the page has loaded already, instead of asking for it row by row."""

    loaded: Provider | None = None

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        if self.loaded is None or list(value) != [str(self.loaded.pk)]:
            return super().optgroups(name, value, attr)
        options = [("", "", False), (self.loaded.pk, str(self.loaded), True)]
        return [(None, [self.create_option(name, *option, n) for n, option in enumerate(options)], 0)]


class RelatedStoryForm(ReadersTextForm, PlacedForm):
    class Meta:
        model = RelatedStory
        fields = [
            *("title", "web_url", "provider", "published_at", "type", "excerpt", "quality", "position"),
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "provider" in self.fields:
            self.fields["provider"].widget.widget.loaded = self.instance.provider
