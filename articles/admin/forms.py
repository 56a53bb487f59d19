"""The forms of a story and of its related coverage."""

from __future__ import annotations

import html
from datetime import UTC
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple, RelatedFieldWidgetWrapper
from django.core.validators import RegexValidator
from django.utils import timezone
from django.utils.html import format_html_join

from articles.admin.drafting import BESIDE, initial_from
from articles.admin.events import clock
from articles.documents import ArticleDocument, make_stem, topic_key
from articles.models import Article, ArticleTopic, RelatedStory, Topic, free_stem
from articles.records import topic_keys
from images.forms import KeepsUntouched, PlacedForm
from images.newsroom import ChosenRow, is_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
    from django.utils.safestring import SafeString

    from providers.models import Provider

LONGEST_EXCERPT = 10_000  # characters; a source may have written more
NAMED = "-named"  # behind the name of a field: what its choices are called
GONE = "gone:"  # before the name of a topic that is not there any more


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
        excerpt = self.cleaned_data["excerpt"]
        if "excerpt" in self.changed_data and len(excerpt) > LONGEST_EXCERPT:
            raise forms.ValidationError(f"At most {LONGEST_EXCERPT:,} characters; these are {len(excerpt):,}.")
        return as_source(excerpt)


def told_errors(form: forms.BaseForm) -> str:
    """What is wrong, with the names of the fields."""
    return " ".join(f"{form.fields[name].label}: {error}" for name, errors in form.errors.items() for error in errors)


class MomentField(forms.DateTimeField):
    """By the clock of the site: of an hour that comes twice, when the clocks are put back, the first is meant."""

    def to_python(self, value: Any) -> datetime | None:
        try:
            return super().to_python(value)
        except forms.ValidationError as error:
            if error.code != "ambiguous_timezone" or not error.params:
                raise
            told = error.params["datetime"]
        moment = timezone.make_aware(told)
        if timezone.make_naive(moment.astimezone(UTC)) != told:
            raise forms.ValidationError("That time does not exist on that day: the clocks are put forward.")
        return moment


class VerbForm(forms.Form):
    """What goes with a verb: why, and from when until when, by the clock of the site."""

    note = forms.CharField(max_length=500, required=False, label="Note", help_text="Why; kept in the story's log.")
    at = MomentField(required=False, label="Public from")
    until = MomentField(required=False, label="until")

    prefix = "verb"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["note"].widget.attrs["placeholder"] = "Why, if it needs saying"
        for name in ("at", "until"):
            self.fields[name].widget = forms.DateTimeInput({"type": "datetime-local"}, "%Y-%m-%dT%H:%M")


class OrderedTopicsSelect(AutocompleteSelectMultiple):
    """Options in the order of the value, which is the order the browser sends them in."""

    def build_attrs(self, base_attrs: Any, extra_attrs: Any = None) -> Any:
        """Each topic has a cross of its own; the one for all would stand in their list, where only items may."""
        return super().build_attrs(base_attrs, extra_attrs) | {"data-allow-clear": "false"}

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Says beside the options what they are called: a key alone tells nothing once its topic is gone."""
        context = self.get_context(name, value, attrs)
        options = [option for _, group, _ in context["widget"]["optgroups"] for option in group]
        named = '<input type="hidden" name="{}" value="{}:{}">'
        names = format_html_join("", named, ((name + NAMED, option["value"], option["label"]) for option in options))
        select: SafeString = self._render(self.template_name, context, renderer)  # type: ignore[attr-defined]
        return select + names

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        """With what has taken over for a topic that was merged while the form was open. One that is gone altogether is
        there by its name, for the field to tell of."""
        chosen: list[str] = super().value_from_datadict(data, files, name) or []
        keys = [int(key) for key in chosen if is_key(key)]
        there = set(Topic.objects.filter(pk__in=keys).order_by().values_list("pk", flat=True))
        if there.issuperset(keys):
            return chosen
        named = super().value_from_datadict(data, files, name + NAMED) or []
        names = {key: name for key, _, name in (each.partition(":") for each in named)}
        present = topic_keys(map(topic_key, names.values()))

        def now(key: str) -> str:
            if not is_key(key) or int(key) in there:
                return key
            name = names.get(key, "")
            return str(present.get(topic_key(name)) or GONE + name)

        return list(dict.fromkeys(map(now, chosen)))

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        keys = [key for key in value if is_key(key)]
        groups = super().optgroups(name, keys, attr)
        groups[0][1].sort(key=lambda option: keys.index(str(option["value"])))
        return groups


class OrderedTopicsField(forms.ModelMultipleChoiceField):
    """Topics in the order they were chosen."""

    def __init__(self, **kwargs: Any) -> None:
        key = ArticleTopic._meta.get_field("tag")
        select = OrderedTopicsSelect(key, admin.site)
        wrapped = RelatedFieldWidgetWrapper(select, key.remote_field, admin.site)
        super().__init__(Topic.objects.all(), widget=wrapped, **kwargs)

    def clean(self, value: Any) -> Any:
        if gone := [key.removeprefix(GONE) for key in value or [] if str(key).startswith(GONE)]:
            names = ", ".join(f"“{name}”" if name else "A topic that was chosen" for name in gone)
            has = "has" if len(gone) == 1 else "have"
            raise forms.ValidationError(f"{names} {has} been deleted meanwhile: look at the topics again.")
        if unfit := [key for key in value or [] if not is_key(key)]:
            raise forms.ValidationError(self.error_messages["invalid_pk_value"], params={"pk": unfit[0]})
        chosen = {str(topic.pk): topic for topic in super().clean(value)}
        return [chosen[key] for key in dict.fromkeys(map(str, value or []))]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return [str(key) for key in initial or []] != [str(key) for key in data or []]


class ArticleForm(ReadersTextForm, KeepsUntouched):
    may_add_topics = False  # the admin's subclass for each request says so,
    editor: AbstractBaseUser | AnonymousUser | None = None  # and who is asking
    note = ""  # why, as it was given with the buttons
    shown: ArticleDocument | None = None  # instead of the row: changes that are not live
    refusal = ""  # what the importer would not take of it
    checks_version = True  # a save of the row itself; what else is done with a form compares by itself

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
            *("featured_content", "body", "no_picture"),
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.initial["version"] = self.instance.version
            self.initial["topics"] = [item.tag_id for item in self.instance.topic_items.all()]
        if self.shown:
            self.initial.update(initial_from(self.shown))
        self.fields["topics"].widget.can_add_related = self.may_add_topics
        for name in ("heat", *BESIDE):
            # Imports change the heat and nothing else, without a new version, and revisions know nothing of what stands
            # beside the document: what counts as an edit is a difference to what this form showed, not to what has
            # come in since.
            if name in self.fields:
                self.fields[name].show_hidden_initial = True
        if "stem" in self.fields:
            self.fields["stem"].required = False
            self.fields["stem"].help_text = "Left blank, it is made from the date and the title."
            self.fields["stem"].validators += [_is_stem, _is_more_than_dots]

    def clean_stem(self) -> str:
        stem = self.cleaned_data["stem"] or self.instance.stem
        namesakes = Article.objects.filter(stem__iexact=stem).exclude(pk=self.instance.pk)
        if other := namesakes.only("stem", "title").first():
            raise forms.ValidationError(f"“{other}” has this address already: {other.stem}")
        return stem

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        told = VerbForm(self.data)
        for error in told.errors.get("note", []):
            self.add_error(None, f"{told.fields['note'].label}: {error}")
        self.note = told.cleaned_data.get("note", "")
        if self.refusal:
            raise forms.ValidationError(self.refusal)
        is_stale = not self.instance._state.adding and cleaned.get("version") != self.instance.version
        if self.checks_version and is_stale:
            raise forms.ValidationError(_stale(self.instance, self.editor), code="stale")
        if "stem" in self.fields and not cleaned.get("stem") and cleaned.get("title"):
            day = cleaned.get("published_at") or timezone.now()
            cleaned["stem"] = free_stem(make_stem(day, html.unescape(cleaned["title"])))
        return cleaned


_is_stem = RegexValidator(r"^[\w.~-]+\Z", "Letters, digits, hyphens, dots and underscores only.")
_is_more_than_dots = RegexValidator(r"^\.+\Z", "Dots alone are no address of a page.", inverse_match=True)


def _stale(article: Article, editor: AbstractBaseUser | AnonymousUser | None) -> str:
    last = article.events.select_related("actor").first()
    if last is None:
        who = "Someone"
    elif last.actor == editor:
        who = "You"
    else:
        who = str(last.actor or "An import")
    return (
        f"{who} changed this story {clock(last.at if last else article.modified_at)}, after you opened it. "
        "Nothing was saved; your text is still in this form. Once the rest of it is right you will be shown both."
    )


class LoadedAutocomplete(ChosenRow):
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
