"""Lists a page at a time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.core.paginator import InvalidPage, Page, Paginator
from django.http import Http404, HttpRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

STORIES_A_PAGE = 24
INDEX_ENTRIES_A_PAGE = 200


def page_of(request: HttpRequest, entries: QuerySet | Sequence[Any], size: int = STORIES_A_PAGE) -> Page:
    number = request.GET.get("page", "1")
    if not re.fullmatch("[1-9][0-9]{0,8}", number):
        raise Http404("No such page.")
    try:
        return Paginator(entries, size).page(number)
    except InvalidPage as error:
        raise Http404("No such page.") from error
