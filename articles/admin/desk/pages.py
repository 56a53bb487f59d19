"""The desk's page, and what its script asks for: fresh cards, and how many stories stand in each queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponse, JsonResponse
from django.template.response import TemplateResponse

from articles.admin.bulk import DEEDS, Deed, VerbDeed
from articles.admin.desk.acts import card_context, card_html
from articles.admin.desk.asked import CHOICES, Asked, narrowed, texts
from articles.admin.desk.cards import cards, cards_of, with_cards_parts
from articles.admin.desk.queues import A_PAGE, QUEUES, counts
from articles.admin.desk.saved import LONGEST_NAME, views_for
from articles.admin.events import editor
from articles.models import Article
from images.newsroom import is_key

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite
    from django.contrib.auth.models import User
    from django.http import HttpRequest

MOST_FRESH = 100  # cards in an answer


class Desk:
    def __init__(self, site: AdminSite) -> None:
        self.site = site

    def page(self, request: HttpRequest) -> HttpResponse:
        asked, user = Asked.read(texts(request.GET)), editor(request)
        found = narrowed(asked, asked.queue.stories(user), request, self.site.get_model_admin(Article))
        stories = list(
            with_cards_parts(asked.order.after(asked.order.arrange(found.stories), asked.after))[: A_PAGE + 1]
        )
        shown, has_more = stories[:A_PAGE], len(stories) > A_PAGE
        views = views_for(user, asked)
        context = {
            **self.site.each_context(request),
            **card_context(request, asked),
            "title": asked.queue.label,
            "queues": _tabs(asked, counts(user)),
            "views": views,
            "view": next((view for view in views if view.is_current), None),
            "longest_name": LONGEST_NAME,
            "choices": _choices(asked, request, self.site),
            "problems": found.problems,
            "cards": cards(shown, user),
            "rest": asked.query(after=asked.order.mark(shown[-1])) if has_more else "",
            "deeds": _deeds(asked, user),
            "may_add_topics": user.has_perm("articles.add_topic"),
        }
        return TemplateResponse(request, "admin/desk/desk.html", context)

    def cards(self, request: HttpRequest) -> HttpResponse:
        """The cards of `keys`, as they are now, one after the other; without those that are gone."""
        keys = [int(key) for key in request.GET.get("keys", "").split(",") if is_key(key)][:MOST_FRESH]
        asked = Asked.read(texts(request.GET))
        return HttpResponse("".join(card_html(request, card, asked) for card in cards_of(keys, editor(request))))

    def counts(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse(counts(editor(request)))


def _tabs(asked: Asked, told: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"queue": queue, "count": told[name], "number": number, "is_current": queue is asked.queue}
        for number, (name, queue) in enumerate(QUEUES.items(), 1)
    ]


def _deeds(asked: Asked, user: User) -> list[Deed]:
    """What can be done to many stories of the queue at once."""
    may = [deed for deed in DEEDS.values() if deed.may_ever(user)]
    return [deed for deed in may if not isinstance(deed, VerbDeed) or deed.verb.sources & {*asked.queue.standings}]


def _choices(asked: Asked, request: HttpRequest, site: AdminSite) -> list[dict[str, Any]]:
    """The filters that have a few fixed values."""
    return [
        {
            "name": name,
            "label": str(choice.title).capitalize(),
            "chosen": getattr(asked, name),
            "values": choice(request, {}, Article, site.get_model_admin(Article)).lookup_choices,
        }
        for name, choice in CHOICES.items()
    ]
