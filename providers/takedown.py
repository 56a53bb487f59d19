"""All pictures of a provider: taken down at once, and those that come later too."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q, QuerySet

from images import takedown
from images.models import RemoteImage
from images.takedown import WITH_PROVIDER
from providers.models import Provider

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def pictures_of(provider: Provider) -> QuerySet[RemoteImage]:
    """Those in its stories, in related stories of its, and its logos; but none that was uploaded here."""
    places = ("articles__provider", "related_stories__provider", "providers")
    theirs = [RemoteImage.objects.filter(**{place: provider}).order_by().values("pk") for place in places]
    return RemoteImage.objects.filter(reduce(or_, (Q(pk__in=keys) for keys in theirs)), by_hand=False)


def take_down_pictures(provider: Provider, *, by: User, reason: str) -> int:
    """Returns how many addresses that are. The reason stands until `allow_pictures_again`."""
    with transaction.atomic():
        count = takedown.take_down(pictures_of(provider), by=by, reason=reason, code=WITH_PROVIDER)
        Provider.objects.filter(pk=provider.pk).update(no_pictures=reason[:300])
    provider.no_pictures = reason[:300]
    return count


def allow_pictures_again(provider: Provider, *, by: User, reason: str) -> int:
    """But not those that were taken down for themselves, or are of another such provider too."""
    with transaction.atomic():
        down = pictures_of(provider).filter(reason=WITH_PROVIDER)
        for other in Provider.objects.exclude(no_pictures="").exclude(pk=provider.pk):
            down = down.exclude(pk__in=pictures_of(other).order_by().values("pk"))
        count = takedown.allow_again(down, by=by, reason=reason, code=WITH_PROVIDER)
        Provider.objects.filter(pk=provider.pk).update(no_pictures="")
    provider.no_pictures = ""
    return count


def keep_down() -> None:
    """Take down what an import brought of such providers before anybody fetches it. Pictures that an editor chose for
    one of their stories are the editor's business."""
    for provider in Provider.objects.exclude(no_pictures=""):
        new = pictures_of(provider).filter(state=RemoteImage.State.PENDING, attempted_at=None, urgent=False)
        if new.exists():
            takedown.take_down(new, by=None, reason=provider.no_pictures, code=WITH_PROVIDER)
