"""How it stands with a picture, in words for an editor."""

from __future__ import annotations

from datetime import datetime

from django.template.defaultfilters import date as format_date
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from images.models import RemoteImage
from images.queue import LEASE

State = RemoteImage.State


def told(image: RemoteImage) -> str:
    """A few sentences: what became of it, how often it was tried, and when it will be tried again."""
    return " ".join(filter(None, [_became(image), _tries(image), _next_try(image)]))


def size(image: RemoteImage) -> str:
    """`400 × 300, 12 KB`; empty as long as there was no picture."""
    if image.byte_size is None:
        return ""
    return f"{image.width} × {image.height}, {filesizeformat(image.byte_size)}"


def when(at: datetime | None) -> str:
    return format_date(timezone.localtime(at), "j M Y, H:i") if at else ""


def many(count: int, one: str, more: str = "") -> str:
    """`1 picture`, `1,200 pictures`."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def is_arriving(image: RemoteImage) -> bool:
    """Whether somebody who waits will see it come, or fail."""
    return image.state == State.PENDING and image.is_remote and image.next_attempt_at is not None


def _became(image: RemoteImage) -> str:
    match image.state:
        case State.TAKEN_DOWN:
            return f"Taken down: {_sentence(image.detail)} It is shown nowhere and never fetched."
        case State.CACHED:
            return _cached(image)
        case State.FAILED:
            return _sentence(image.detail) or "No picture came of it."
        case _ if not image.is_remote:
            return "Its file is missing: upload it here, or import its tree again."
        case _ if image.has_picture:
            return f"It waits to be fetched again. The picture of {when(image.fetched_at)} is shown meanwhile."
        case _:
            return "It waits to be fetched."


def _cached(image: RemoteImage) -> str:
    fetched = when(image.fetched_at)
    if image.reason:
        return f"It could not be fetched again: {_sentence(image.detail)} The picture of {fetched} is still shown."
    if image.by_hand:
        return f"Uploaded here on {fetched}." + (
            " If it is fetched again, what comes takes the place of this file." if image.is_remote else ""
        )
    return f"Fetched on {fetched}." if image.is_remote else f"Came with an imported tree on {fetched}."


def _tries(image: RemoteImage) -> str:
    if not _is_unsettled(image) or not image.attempts:
        return ""
    return "Tried once." if image.attempts == 1 else f"Tried {image.attempts} times."


def _next_try(image: RemoteImage) -> str:
    if not _is_unsettled(image):
        return ""
    if image.next_attempt_at is None:
        return "It is not tried again by itself."
    if image.attempted_at and image.next_attempt_at == image.attempted_at + LEASE:
        return "It is being fetched now."
    if image.next_attempt_at > timezone.now():
        return f"The next try is on {when(image.next_attempt_at)}."
    return "It is its turn before all others." if image.urgent else "It is tried as soon as it is its turn."


def _is_unsettled(image: RemoteImage) -> bool:
    """Whether there is more to fetch, or was and did not come."""
    return image.is_remote and (image.state in {State.PENDING, State.FAILED} or _failed_again(image))


def _failed_again(image: RemoteImage) -> bool:
    return image.state == State.CACHED and bool(image.reason)


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."
