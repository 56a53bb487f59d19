"""Answers in JSON for the scripts of forms with pictures: how they stand, a new one by its address or by its file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from images import tasks, uploads
from images.admin.forms import PictureFileForm
from images.forms import picture_address
from images.models import RemoteImage
from images.newsroom import is_key
from images.thumbnails import thumbnail

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.auth.models import User

MAX_KEYS = 100


@require_GET
def states(request: HttpRequest) -> JsonResponse:
    """How it stands with the pictures of `keys`, in that order."""
    _require(request, "view", "change")
    keys = keys_in(request.GET.get("keys", ""))[:MAX_KEYS]
    images = RemoteImage.objects.in_bulk(keys)
    return JsonResponse({"images": [described(images[key]) for key in keys if key in images]})


@require_POST
def arrive(request: HttpRequest) -> JsonResponse:
    """The picture of `address`: from now on somebody waits for it."""
    _require(request, "add")
    try:
        address = picture_address(request.POST.get("address", ""))
    except ValidationError as error:
        return _refused(error.messages)
    return JsonResponse(described(tasks.wanted(address)))


@require_POST
def upload_json(request: HttpRequest) -> JsonResponse:
    """The picture of `file`."""
    _require(request, "add")
    form = PictureFileForm(request.POST, request.FILES)
    image = form.hand_to(lambda data: uploads.upload(data, by=cast("User", request.user)))
    return JsonResponse(described(image)) if image else _refused(map(str, form.errors["file"]))


def keys_in(text: str) -> list[int]:
    """The keys in a text like `1,2,3`, each once; what can be none is passed over."""
    return list(dict.fromkeys(int(key) for key in text.split(",") if is_key(key)))


def described(image: RemoteImage) -> dict[str, Any]:
    return {
        "key": image.pk,
        "address": image.source_url,
        "state": image.state,
        "label": image.get_state_display(),
        "detail": image.detail,
        "thumbnail": thumbnail(image),
        "page": reverse("admin:images_remoteimage_change", args=[image.pk]),
    }


def _require(request: HttpRequest, *actions: str) -> None:
    """Any of these permissions."""
    if not any(request.user.has_perm(f"images.{action}_remoteimage") for action in actions):
        raise PermissionDenied


def _refused(messages: Iterable[str]) -> JsonResponse:
    return JsonResponse({"error": " ".join(messages)}, status=400)
