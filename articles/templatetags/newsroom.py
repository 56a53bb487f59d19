"""Small helps for the newsroom's pages."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context
from django.urls import reverse

from articles import previewing, workflow
from articles.links import absolute
from articles.models import Article

register = template.Library()


@register.simple_tag(takes_context=True)
def previews_of(context: Context, article: Article) -> dict[str, Any]:
    """What the form shows of a story's previews: the links to those alone who may make them."""
    may_share = workflow.may_edit(article, context["request"].user)
    links = list(previewing.active_links(article)) if may_share else []
    return {
        "may_share": may_share,
        "links": [(link, absolute(reverse("preview", args=[link.token]))) for link in links],
        "is_full": len(links) >= previewing.MOST_LINKS,
        "has_changes": previewing.changes_of(article) is not None,
        "lasting": previewing.LASTING.items(),
        "usually": previewing.USUALLY,
    }
