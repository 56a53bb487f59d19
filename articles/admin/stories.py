"""The admin of stories: the list, the form, and the buttons that change their state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.db.models import ForeignKey, OuterRef, QuerySet, Subquery, TextField
from django.forms import ModelForm, Textarea
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import date as format_date
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from articles import checks, revisions, workflow
from articles.admin import bulk
from articles.admin.badges import state_badge, zoned
from articles.admin.batches import local
from articles.admin.changes import UnpublishedChanges
from articles.admin.events import editor as _editor
from articles.admin.events import told
from articles.admin.filters import (
    ArticleDiffersFilter,
    ChangesFilter,
    DateFilter,
    GoesLiveFilter,
    PictureFilter,
    ProviderFilter,
    StateFilter,
    TopicFilter,
    TypeFilter,
)
from articles.admin.finding import found_by_editors
from articles.admin.forms import ArticleForm, LoadedAutocomplete, RelatedStoryForm, VerbForm, told_errors
from articles.admin.history import WithHistory
from articles.admin.presence import TellsWhoIsThere
from articles.admin.sources import differs_badge
from articles.admin.stale import refused_told
from articles.importing.settling import forget_agreed
from articles.models import Article, ArticleImage, Conflict, Event, RelatedImage, RelatedStory, SourceFile, Topic
from images.forms import SOURCE_FIELDS, PlacedFormSet
from images.inlines import CaptionedPictureInline
from images.models import RemoteImage
from images.newsroom import is_key
from images.thumbnails import thumbnail

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.forms import BaseModelFormSet

EVENTS_SHOWN = 6
OFFERED = 12
SCORES = '<span class="score">Quality <b>{}</b></span> <span class="score">Heat <b>{}</b></span>'
NEVER_SCORED = SafeString('<span title="Never scored">–</span>')
READ_AS = {"title": "title_read", "excerpt": "excerpt_read", "topics": "subjects"}


class ArticlePictureInline(CaptionedPictureInline):
    model = ArticleImage
    verbose_name_plural = "pictures (the first is the lead)"


class RelatedStoryInline(admin.StackedInline):
    model = RelatedStory
    form = RelatedStoryForm
    formset = PlacedFormSet
    formfield_overrides = SOURCE_FIELDS | {
        TextField: SOURCE_FIELDS[TextField] | {"widget": Textarea(attrs={"rows": 2})}
    }
    extra = 0
    readonly_fields = ["picture"]
    fields = [
        *("title", "web_url", "excerpt"),
        ("provider", "picture"),
        ("published_at", "type", "quality", "position"),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RelatedStory]:
        stories = super().get_queryset(request)
        return stories.select_related("provider").prefetch_related("pictures__image")

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "provider":
            kwargs["widget"] = LoadedAutocomplete(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description="Picture")
    def picture(self, story: RelatedStory) -> SafeString:
        if hasattr(story, "shown_picture"):  # a row of unpublished changes
            return thumbnail(story.shown_picture)
        lead = story.lead_image if story.pk else None
        return thumbnail(lead.image if lead else None)


@admin.register(Article)
class ArticleAdmin(WithHistory, UnpublishedChanges, TellsWhoIsThere):
    form = ArticleForm
    formfield_overrides = SOURCE_FIELDS
    exclude = ["topics"]  # the form's own field keeps their order; the model's would not
    autocomplete_fields = ["provider"]
    inlines = [ArticlePictureInline, RelatedStoryInline]
    fieldsets = [
        ("Story", {"fields": ["title", "excerpt", ("type", "category"), ("published_at", "updated_at")]}),
        (
            "Where it is",
            {"fields": ["provider", "web_url", "original_url", "amp_web_url", "cdn_amp_web_url"]},
        ),
        ("Topics and scores", {"fields": ["topics", ("quality", "heat")]}),
        ("Address here", {"fields": ["stem"]}),
        ("Pictures", {"fields": ["no_picture"], "description": "The pictures themselves stand below."}),
        ("Embed and text", {"fields": ["featured_content", "body"], "classes": ["collapse"]}),
    ]
    list_display = [
        *("picture", "story", "outlet", "subjects", "scores", "state", "day", "links"),
    ]
    list_display_links = ["story"]
    list_filter = [
        *(StateFilter, PictureFilter, ArticleDiffersFilter, DateFilter, TopicFilter, ProviderFilter, TypeFilter),
        *(GoesLiveFilter, ChangesFilter),
    ]
    list_select_related = ["provider"]
    ordering = ["-published_at", "-pk"]
    search_fields = ["title"]  # asked for by the search box; `get_search_results` does the search
    search_help_text = "Title, excerpt, provider, topic or address"
    goes_with = [Event, SourceFile]

    @property
    def media(self) -> Any:
        """With what the list's filters by topic and provider need."""
        key: Any = Article._meta.get_field("provider")
        return super().media + AutocompleteSelect(key, self.admin_site).media

    # --- Who may ---------------------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: Article | None = None) -> bool:
        return super().has_change_permission(request) if obj is None else workflow.may_edit(obj, request.user)

    def get_readonly_fields(self, request: HttpRequest, obj: Article | None = None) -> list[str]:
        """An address that readers have seen stays."""
        return ["stem"] if obj and obj.publish_at else []

    # --- The list --------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Article]:
        stories = super().get_queryset(request)
        if request.resolver_match and request.resolver_match.url_name == "articles_article_changelist":
            conflicts = Conflict.objects.filter(source__article=OuterRef("pk")).order_by()
            listed = stories.prefetch_related("pictures__image", "topics").defer("secured", "extra", "body")
            return listed.annotate(differing_source=Subquery(conflicts.values("source")[:1]))
        return stories

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[QuerySet[Article], bool]:
        return found_by_editors(queryset, search_term), False

    @admin.display(description="Picture")
    def picture(self, article: Article) -> SafeString:
        lead = article.lead_image
        return thumbnail(lead.image if lead else None)

    @admin.display(description="Story")
    def story(self, article: Article) -> str:
        return article.headline

    @admin.display(description="Provider", empty_value="–")
    def outlet(self, article: Article) -> SafeString | None:
        if article.provider is None:
            return None
        return _filter_link("provider", article.provider_id, str(article.provider))

    @admin.display(description="Title")
    def title_read(self, article: Article) -> str:
        return article.headline

    @admin.display(description="Excerpt")
    def excerpt_read(self, article: Article) -> str:
        return article.summary

    @admin.display(description="Topics")
    def subjects(self, article: Article) -> SafeString:
        links = ((_filter_link("topic", topic.pk, str(topic)),) for topic in article.topics.all())
        return format_html_join(", ", "{}", links)

    @admin.display(description="Scores", ordering="quality")
    def scores(self, article: Article) -> SafeString:
        heat = NEVER_SCORED if article.heat == -1 else _or_dash(article.heat)
        return format_html(SCORES, _or_dash(article.quality), heat)

    @admin.display(description="State", ordering="status")
    def state(self, article: Any) -> SafeString:
        badge = state_badge(article)
        if article.differing_source is None:
            return badge
        url = reverse("admin:articles_sourcefile_change", args=[article.differing_source])
        return format_html("{} {}", badge, differs_badge(url))

    @admin.display(description="Date", ordering="published_at")
    def day(self, article: Article) -> str:
        return format_date(timezone.localtime(article.published_at), "j M Y, H:i")

    @admin.display(description="Open")
    def links(self, article: Article) -> SafeString:
        return format_html_join(" ", '<a href="{}" rel="noopener noreferrer">{}</a>', _ways_out(article))

    # --- Bulk ------------------------------------------------------------------------------------

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """With whatever can be done to many stories, each of which is shown before it is done."""
        offered = super().get_actions(request)
        return offered if IS_POPUP_VAR in request.GET else bulk.actions(request) | offered

    # --- The form --------------------------------------------------------------------------------

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Article | None:
        """Its file is locked first, in the order in which imports do it."""
        if request.method == "POST" and is_key(object_id):
            SourceFile.objects.filter(article=int(object_id)).hold()
        article: Article | None = super().get_object(request, object_id, from_field)
        return article

    def get_form(self, request: HttpRequest, obj: Article | None = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.editor = request.user
        form.may_add_topics = self.admin_site.get_model_admin(Topic).has_add_permission(request)
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Article | None = None) -> Any:
        """Who may only look sees what readers see, not the source's spelling."""
        if obj is None or self.has_change_permission(request, obj):
            return self.fieldsets
        return [
            (heading, {**options, "fields": [READ_AS.get(str(name), name) for name in options["fields"]]})
            for heading, options in self.fieldsets
        ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"published_at": timezone.now().replace(second=0, microsecond=0)} | dict(
            super().get_changeform_initial_data(request)
        )

    def render_change_form(
        self,
        request: HttpRequest,
        context: Any,
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Article | None = None,
    ) -> HttpResponse:
        may_change = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        story = obj or Article()
        context["verbs"] = [
            verb for verb in workflow.VERBS.values() if may_change and workflow.allows(verb, story, _editor(request))
        ]
        verbs = {verb.name for verb in context["verbs"]}
        context |= {"zone": timezone.get_current_timezone_name()}
        context["may_schedule"] = workflow.SCHEDULE.name in verbs
        if may_change:
            typed = _times_ahead(story) if context["may_schedule"] else {}
            typed |= refused_told(request, obj) if obj else {}
            context |= {"verb_form": VerbForm(request.POST or None, initial=typed)}
            context["verb_said"] = any(context["verb_form"][name].value() for name in ("note", "at", "until"))
        context["show_save_and_add_another"] = obj is None
        if obj:
            context |= {
                "badge": state_badge(obj),
                "ways_out": _ways_out(obj),
                "source_file": getattr(obj, "source_file", None),
                "events": [(event, told(event)) for event in obj.events.select_related("actor")[:EVENTS_SHOWN]],
                "lead": self.picture(obj),
                "findings": sorted(checks.findings([obj.pk])[obj.pk], key=lambda finding: not finding.is_required),
                "offered": [(use, thumbnail(use.image)) for use in _offered(obj)] if may_change else [],
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

    # --- Saving ----------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: Article, form: ModelForm, change: bool) -> None:
        if not change:
            obj.created_by_id = request.user.pk
        if change and form.changed_data:
            revisions.keep_last(obj)  # read from the database, where it still is as it was
        if form.changed_data or not change:
            super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Iterable[BaseModelFormSet], change: bool) -> None:
        """The last step of a save: only now is it known whether anything changed, and all of it is stored."""
        formsets = list(formsets)
        if change and not form.changed_data and any(formset.has_changed() for formset in formsets):
            revisions.keep_last(form.instance)
        super().save_related(request, form, formsets, change)
        article: Any = form.instance
        if "topics" in form.changed_data:
            article.set_topics(form.cleaned_data["topics"])
        edited = [*form.changed_data, *(formset.prefix for formset in formsets if formset.has_changed())]
        article.was_edited = bool(edited)  # for the answer
        if edited or not change:
            note = "" if self._pressed(request) else form.note  # it is about what was pressed
            self._record(request, article, edited, change, note)
            forget_agreed(article)

    def _record(self, request: HttpRequest, article: Article, edited: list[str], change: bool, note: str) -> None:
        if change:
            article.version += 1
            article.modified_at = timezone.now()
            article.save(update_fields=["version", "modified_at"])
        Event.objects.create(
            article=article,
            actor_id=request.user.pk,
            verb="edit" if change else "create",
            note=note,
            data={"fields": edited, "version": article.version},
        )
        revisions.record(article, by=_editor(request), note=note)

    def response_add(self, request: HttpRequest, obj: Article, post_url_continue: str | None = None) -> HttpResponse:
        if verb := self._pressed(request):
            return self._saved_and(verb, request, obj, edited=True, told=request.POST)
        response = super().response_add(request, obj, post_url_continue)
        self._warn(request, obj)
        return response

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        if verb := self._pressed(request):
            return self._saved_and(verb, request, obj, edited=obj.was_edited, told=request.POST)
        if not obj.was_edited:
            self.message_user(request, f"Nothing had changed in “{obj}”.", messages.INFO)
            if "_continue" in request.POST:
                return HttpResponseRedirect(request.get_full_path())
            return self.response_post_save_change(request, obj)
        response = super().response_change(request, obj)
        self._warn(request, obj)
        return response

    def response_post_save_change(self, request: HttpRequest, obj: Article) -> HttpResponseRedirect:
        """Back to where it was opened from, such as its card at the desk, if the form's address says where that is."""
        if back := local(request.GET.get("next"), request):
            return HttpResponseRedirect(back)
        return super().response_post_save_change(request, obj)

    def _pressed(self, request: HttpRequest) -> workflow.Verb | None:
        """The verb of the button, if it was one. An unknown one rolls the save back, as one not permitted will."""
        if "_verb" not in request.POST:
            return None
        if verb := workflow.VERBS.get(request.POST["_verb"]):
            return verb
        raise PermissionDenied

    def _saved_and(
        self, verb: workflow.Verb, request: HttpRequest, obj: Article, *, edited: bool, told: Mapping[str, str]
    ) -> HttpResponse:
        saved = "saved" if edited else "not changed"
        form, is_done = VerbForm(told), False
        try:
            if not form.is_valid():
                raise workflow.TransitionError(told_errors(form))
            values = form.cleaned_data
            times = {"at": values["at"], "until": values["until"]} if verb is workflow.SCHEDULE else {}
            workflow.apply(verb, obj, by=_editor(request), note=values["note"], batch=uuid4(), **times)
        except workflow.TransitionError as error:
            self.message_user(request, f"The story was {saved}, and not {verb.done}. {error}", messages.ERROR)
        else:
            is_done, saved_and = True, "saved and " if edited else ""
            when = _told_times(obj) if verb is workflow.SCHEDULE else ""
            self.message_user(request, f"“{obj}” was {saved_and}{verb.done}{when}.", messages.SUCCESS)
        if edited or verb.target == Article.Status.PUBLISHED:
            self._warn(request, obj)
        if not is_done:
            return self._refused(request, obj, edited=edited, told=told)
        return self.response_post_save_change(request, obj)

    def _warn(self, request: HttpRequest, article: Article) -> None:
        """What the checks say of what was saved; before readers see it, of its pictures' words alone: its form has a
        list of the rest."""
        only = checks.CHECKS if article.status == Article.Status.PUBLISHED else {"alt"}
        found = checks.findings([article.pk], only=only)[article.pk]
        if told := [*(finding.says for finding in found), *_no_credit(article)]:
            self.message_user(request, " ".join(told), messages.WARNING)


def _times_ahead(article: Article) -> dict[str, Any]:
    """What of its schedule is still to come, for the fields that a schedule is changed by."""
    now = timezone.now()
    at, until = article.publish_at, article.unpublish_at
    if article.status != Article.Status.PUBLISHED:
        return {}
    return {"at": at if at and at > now else None, "until": until if until and until > now else None}


def _told_times(article: Article) -> str:
    told = {"from": _times_ahead(article).get("at"), "until": _times_ahead(article).get("until")}
    words = " ".join(f"{word} {zoned(at)}" for word, at in told.items() if at)
    return f", public {words}" if words else ""


def _ways_out(article: Article) -> list[tuple[str, str]]:
    """Where the story can be looked at: here, if the public can, and at its source."""
    here = [(article.get_absolute_url(), "On the site")] if article.is_public else []
    out = article.outbound_url
    return here + ([(out, "At the source")] if out.startswith(("http://", "https://")) else [])


def _offered(article: Article) -> list[RelatedImage]:
    """Pictures that other outlets have of the same story; several may have the same one."""
    there = RelatedImage.objects.exclude(image__content_hash="").exclude(image__state=RemoteImage.State.TAKEN_DOWN)
    uses = (
        there.filter(related_story__article=article)
        .select_related("image", "related_story__provider")
        .order_by("related_story__position", "related_story", "position", "pk")
    )
    by_image: dict[int, RelatedImage] = {}
    for use in uses[: 4 * OFFERED]:
        by_image.setdefault(use.image_id, use)
    return list(by_image.values())[:OFFERED]


def _no_credit(article: Article) -> list[str]:
    lead = article.pictures.first()
    return ["Its lead picture has no credit."] if lead and not lead.attribution.strip() else []


def _or_dash(score: int | None) -> Any:
    return "–" if score is None else score


def _filter_link(parameter: str, key: Any, label: str) -> SafeString:
    url = reverse("admin:articles_article_changelist", query={parameter: key})
    return format_html('<a href="{}" title="Only stories with this {}">{}</a>', url, parameter, label)
