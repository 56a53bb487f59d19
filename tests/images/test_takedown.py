import os

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.core.files.storage import FileSystemStorage, default_storage

from articles.importing import Options, import_paths
from images import caching, files, queue, uploads
from images.caching import cache_due, store
from images.models import ImageEvent, RemoteImage
from images.processing import process
from images.takedown import allow_again, take_down
from tests.factories import make_image, make_user, png
from tests.fetching.hosts import answer

pytestmark = pytest.mark.django_db

State = RemoteImage.State


@pytest.fixture
def manager():
    user = make_user("Managers")
    assert user.has_perm("images.take_down_remoteimage")
    return user


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """What waits for the transaction's end is done when this context ends."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def only(*images: RemoteImage):
    return RemoteImage.objects.filter(pk__in=[image.pk for image in images])


def test_picture_is_gone_at_all_its_addresses_with_its_files_and_the_reason(manager, committed, stored):
    first, other = make_image(), make_image()
    second = make_image(cached=False)
    store(second, png((400, 300), shade=7))
    store(first, png((400, 300), shade=7))
    with committed():
        assert take_down(only(first), by=manager, reason="The photographer asks for it.") == 2
    for image in (first, second):
        image.refresh_from_db()
        assert (image.state, image.reason, image.next_attempt_at) == (State.TAKEN_DOWN, "taken_down", None)
        assert image.detail == "The photographer asks for it."
        assert not image.has_picture
        assert image.rendition_widths() == []
        event = image.events.get()
        assert (event.verb, event.actor, event.note) == (State.TAKEN_DOWN, manager, "The photographer asks for it.")
    assert [name for name in stored() if first.content_hash in name] == []
    other.refresh_from_db()
    assert other.has_picture
    assert len([name for name in stored() if other.content_hash in name]) > 0


def test_files_of_widths_that_are_not_made_any_more_go_too(manager, committed, stored):
    image = make_image()
    folder = f"renditions/{image.content_hash[:2]}"
    with default_storage.open(f"{folder}/{image.content_hash}-2000.avif", "wb") as file:
        file.write(b"old")
    with committed():
        take_down(only(image), by=manager, reason="Gone.")
    assert stored() == []


def test_nothing_fetches_it_again(manager, hosting):
    host = hosting(answer(body=png()))
    image = make_image(cached=False, source_url=host.url())
    take_down(only(image), by=manager, reason="No.")
    queue.mark_pending(only(image))
    cache_due()
    assert host.requests == []
    image.refresh_from_db()
    assert image.state == State.TAKEN_DOWN


def test_the_same_picture_stays_down_at_a_new_address(manager, hosting, committed, stored):
    host = hosting(answer(body=png()))
    old = make_image(cached=False)
    store(old, png())
    with committed():
        take_down(only(old), by=manager, reason="Not licensed.")
    image = make_image(cached=False, source_url=host.url("/new-address"))
    with committed():
        report = cache_due()
    assert (report.cached, report.failed) == (0, [image])
    image.refresh_from_db()
    assert (image.state, image.reason, image.detail) == (State.TAKEN_DOWN, "taken_down", "Not licensed.")
    event = image.events.get()
    assert (event.verb, event.actor, event.note) == (ImageEvent.Verb.TAKEN_DOWN, None, "Not licensed.")
    assert stored() == []


def test_takedown_during_a_fetch_of_the_same_picture_leaves_no_files(manager, hosting, monkeypatch, stored):
    host = hosting(answer(body=png()))
    image = make_image(cached=False, source_url=host.url())
    cache_due()
    queue.mark_pending(only(image))
    record = caching._record

    def record_after_takedown(claimed, outcome):
        take_down(only(image), by=manager, reason="Gone.")
        files.delete([outcome.facts.content_hash])  # as when the transaction is over
        files.write(process(png()), png())  # by the thread that was at it
        return record(claimed, outcome)

    monkeypatch.setattr(caching, "_record", record_after_takedown)
    report = cache_due()
    assert (report.cached, report.failed) == (0, [])
    assert stored() == []
    image.refresh_from_db()
    assert image.state == State.TAKEN_DOWN


def test_no_import_brings_back_what_was_taken_down_or_replaced_by_hand(manager, tmp_path):
    folder = tmp_path / "site" / "assets"
    folder.mkdir(parents=True)
    for name in ("down.png", "own.png"):
        (folder / name).write_bytes(png())
    (tmp_path / "site" / "_news").mkdir()
    images = "images:\n- url: /assets/down.png\n- url: /assets/own.png\n"
    text = f"---\ntitle: A\npublishedDateTime: 2026-03-02\n{images}---\n"
    (tmp_path / "site" / "_news" / "2026-03-02-a.md").write_text(text)
    import_paths([tmp_path / "site"], Options())
    down, own = RemoteImage.objects.order_by("source_url")
    uploads.replace(own, png(shade=9), by=manager)
    replaced = own.content_hash
    take_down(only(down), by=manager, reason="Gone.")
    for name in ("down.png", "own.png"):
        (folder / name).write_bytes(png(shade=7))
        os.utime(folder / name, (2**32, 2**32))
    import_paths([tmp_path / "site"], Options(overwrite=True))
    (folder / "down.png").unlink()
    import_paths([tmp_path / "site"], Options(overwrite=True))
    down.refresh_from_db()
    own.refresh_from_db()
    assert (down.state, own.content_hash) == (State.TAKEN_DOWN, replaced)


def test_takedown_holds_though_a_file_cannot_be_deleted(manager, committed, monkeypatch, stored, caplog):
    image = make_image()
    delete, stuck = FileSystemStorage.delete, stored()[2]

    def deleting(self, name):
        if name == stuck:
            raise PermissionError(name)
        delete(self, name)

    monkeypatch.setattr(FileSystemStorage, "delete", deleting)
    with committed():
        take_down(only(image), by=manager, reason="Gone.")
    assert stored() == [stuck]
    assert "could not be deleted" in caplog.text
    monkeypatch.undo()


def test_taken_down_twice_is_logged_once(manager):
    image = make_image()
    assert take_down(only(image), by=manager, reason="First.") == 1
    assert take_down(only(image), by=manager, reason="Second.") == 0
    image.refresh_from_db()
    assert (image.detail, image.events.count()) == ("First.", 1)


def test_allowed_again_it_is_fetched(manager, hosting):
    host = hosting(answer(body=png()))
    image = make_image(cached=False, source_url=host.url())
    cache_due()
    take_down(only(image), by=manager, reason="A mistake.")
    assert allow_again(only(image), by=manager, reason="It was licensed.") == 1
    cache_due()
    image.refresh_from_db()
    assert (image.state, image.reason) == (State.CACHED, "")
    assert list(image.events.values_list("verb", "note")) == [
        ("allowed", "It was licensed."),
        ("taken_down", "A mistake."),
    ]


def test_picture_of_a_tree_that_is_allowed_again_waits_for_its_file(manager):
    image = make_image(source_url="/assets/logo.png")
    take_down(only(image), by=manager, reason="A mistake.")
    allow_again(only(image), by=manager, reason="Ours.")
    image.refresh_from_db()
    assert (image.state, image.has_picture, image.next_attempt_at) == (State.PENDING, False, None)


@pytest.mark.parametrize("verb", [take_down, allow_again])
@pytest.mark.parametrize("group", ["Contributors", "Editors"])
def test_only_who_may(verb, group):
    user = make_user(group)
    user.user_permissions.add(Permission.objects.get(codename="change_remoteimage"))
    image = make_image()
    with pytest.raises(PermissionDenied):
        verb(only(image), by=user, reason="Because.")
    image.refresh_from_db()
    assert image.has_picture
