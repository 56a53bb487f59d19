"""Where pictures are used. Which models use any is asked of Django: the apps above this one are not known here."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, cast

from django.db.models import Count, Exists, Model, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.html import format_html

from images.models import ImageUse, RemoteImage

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite
    from django.http import HttpRequest

USES_SHOWN = 20  # for each kind of use


def kinds_of_use() -> list[type[ImageUse]]:
    models = (relation.related_model for relation in RemoteImage._meta.related_objects)
    return [model for model in models if isinstance(model, type) and issubclass(model, ImageUse)]


def counted(keys: list[int]) -> Counter[int]:
    """How often each of these images is used."""
    counts: Counter[int] = Counter()
    for kind in kinds_of_use():
        uses = kind._default_manager.filter(image__in=keys).order_by()
        counts.update(dict(uses.values_list("image").annotate(Count("pk"))))
    return counts


def unused() -> Q:
    """The condition that nothing uses an image."""
    condition = Q()
    for kind in kinds_of_use():
        condition &= ~Q(Exists(kind._default_manager.filter(image=OuterRef("pk"))))
    return condition


def owners(images: QuerySet[RemoteImage], site: AdminSite) -> list[str]:
    """What uses any of these images, by kind: `["2 articles", "1 provider"]`."""
    conditions: dict[type[Model], Q] = defaultdict(Q)
    for kind in kinds_of_use():
        path, owner = _way_to_owner(kind, site)
        uses = kind._default_manager.filter(image__in=images.order_by().values("pk")).order_by()
        conditions[owner] |= Q(pk__in=uses.values("__".join(path)))
    counts = ((owner, owner._default_manager.filter(condition).count()) for owner, condition in conditions.items())
    return [
        f"{count:,} {owner._meta.verbose_name if count == 1 else owner._meta.verbose_name_plural}"
        for owner, count in counts
        if count
    ]


def uses_of(image: RemoteImage, request: HttpRequest, site: AdminSite) -> list[str]:
    """A line for each use; one query for each kind of use."""
    return [line for kind in kinds_of_use() for line in _uses(kind, image, request, site)]


def _uses(kind: type[ImageUse], image: RemoteImage, request: HttpRequest, site: AdminSite) -> Iterator[str]:
    path, _ = _way_to_owner(kind, site)
    uses = kind._default_manager.filter(image=image).select_related("__".join(path)).order_by("-pk")
    shown = list(uses[: USES_SHOWN + 1])
    for use in shown[:USES_SHOWN]:
        yield _owner_link(attrgetter(".".join(path))(use), request, site)
    if len(shown) > USES_SHOWN:
        yield f"… and more of the kind {kind._meta.verbose_name}"


def _way_to_owner(model: type[Model], site: AdminSite) -> tuple[list[str], type[Model]]:
    """The foreign keys that lead from a use to what has a page in this admin (`related_story`, `article`), and that."""
    keys = [f for f in model._meta.fields if f.many_to_one and not f.null and f.related_model is not RemoteImage]
    if site.is_registered(model) or not keys:
        return [], model
    path, owner = _way_to_owner(cast("type[Model]", keys[0].related_model), site)
    return [keys[0].name, *path], owner


def _owner_link(owner: Model, request: HttpRequest, site: AdminSite) -> str:
    """The owner by its name, for who may view it: a draft's title is not for everybody."""
    meta = owner._meta
    kind = str(meta.verbose_name).capitalize()
    if not site.is_registered(type(owner)) or not site.get_model_admin(type(owner)).has_view_permission(request):
        return kind
    url = reverse(f"{site.name}:{meta.app_label}_{meta.model_name}_change", args=[owner.pk])
    return format_html('{}: <a href="{}">{}</a>', kind, url, owner)
