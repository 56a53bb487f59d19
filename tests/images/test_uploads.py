import pytest

from images import files, queue, uploads
from images.caching import cache_due, store
from images.models import RemoteImage
from images.takedown import take_down
from images.uploads import RefusedUploadError, replace, upload
from tests.factories import make_image, make_user, png
from tests.fetching.hosts import answer

pytestmark = pytest.mark.django_db

State = RemoteImage.State


@pytest.fixture
def editor():
    return make_user("Managers")


def test_upload_is_a_picture_with_an_address_in_the_sites_own_tree(editor, stored):
    image = upload(png((400, 300)), by=editor)
    assert image.source_url == f"/assets/uploads/{image.content_hash[:20]}.png"
    assert (image.state, image.by_hand, image.width, image.next_attempt_at) == (State.CACHED, True, 400, None)
    assert image.rendition_widths() == [160, 320, 400]
    assert len(stored()) == 7
    assert list(image.events.values_list("verb", "actor")) == [("uploaded", editor.pk)]


def test_the_same_upload_again_is_the_same_picture(editor):
    first = upload(png(), by=editor)
    RemoteImage.objects.update(focus_x=10)
    second = upload(png(), by=editor)
    assert (second.pk, second.focus_x) == (first.pk, 10)
    assert second.events.count() == 1


def test_upload_that_was_replaced_since_is_itself_again_when_it_comes_again(editor):
    first = upload(png(shade=1), by=editor)
    uploaded = first.content_hash
    replace(first, png(shade=2), by=editor)
    assert upload(png(shade=1), by=editor).content_hash == uploaded


def test_files_that_are_swept_under_an_upload_are_written_again(editor, monkeypatch):
    write, calls = files.write, []

    def write_and_lose(picture, data):
        write(picture, data)
        if not calls:
            files.delete([picture.facts.content_hash])
        calls.append(picture)

    monkeypatch.setattr(files, "write", write_and_lose)
    assert files.are_there(upload(png(), by=editor))


def test_takedown_while_an_upload_is_verified_wins(editor, monkeypatch, stored):
    image = make_image(cached=False)
    store(image, png())
    verified = uploads.processed

    def verified_too_late(data):
        take_down(RemoteImage.objects.filter(pk=image.pk), by=editor, reason="Not ours.")
        return verified(data)

    monkeypatch.setattr(uploads, "processed", verified_too_late)
    with pytest.raises(RefusedUploadError, match="Not ours"):
        upload(png(), by=editor)
    assert stored() == []
    assert RemoteImage.objects.count() == 1


def test_failed_address_gets_a_picture_by_hand(editor):
    image = make_image(cached=False, state=State.FAILED, reason="http_404", detail="Gone.", next_attempt_at=None)
    replace(image, png((300, 200)), by=editor)
    assert (image.state, image.reason, image.by_hand, image.width) == (State.CACHED, "", True, 300)
    assert list(image.events.values_list("verb", "actor")) == [("replaced", editor.pk)]


def test_only_asking_for_it_again_undoes_a_picture_by_hand(editor, hosting):
    host = hosting(answer(body=png(shade=1), etag='"v1"'))
    image = make_image(cached=False, source_url=host.url())
    cache_due()
    fetched = RemoteImage.objects.get().content_hash
    replace(image, png(shade=2), by=editor)
    cache_due()
    assert (len(host.requests), RemoteImage.objects.get().by_hand) == (1, True)
    queue.mark_pending(RemoteImage.objects.all())
    cache_due()
    assert "If-None-Match" not in host.requests[1]  # of the picture that was replaced
    image.refresh_from_db()
    assert (image.content_hash, image.by_hand) == (fetched, False)


def test_upload_during_a_fetch_wins(editor, hosting, monkeypatch):
    host = hosting(answer(body=png(shade=1)))
    image = make_image(cached=False, source_url=host.url())
    claim = queue.claim

    def claim_and_upload(count, **options):
        claimed = claim(count, **options)
        if claimed:
            replace(image, png(shade=2), by=editor)
        return claimed

    monkeypatch.setattr(queue, "claim", claim_and_upload)
    cache_due()
    uploaded = image.content_hash
    image.refresh_from_db()
    assert len(host.requests) == 1
    assert (image.by_hand, image.state, image.content_hash) == (True, State.CACHED, uploaded)


def test_what_is_no_picture_is_refused_and_leaves_nothing(editor, stored):
    image = make_image(cached=False)
    with pytest.raises(RefusedUploadError, match="picture"):
        replace(image, b"<html>", by=editor)
    with pytest.raises(RefusedUploadError, match="picture"):
        upload(b"<html>", by=editor)
    assert stored() == []
    assert RemoteImage.objects.get().state == State.PENDING


def test_what_was_taken_down_cannot_be_uploaded(editor):
    image = upload(png(), by=editor)
    take_down(RemoteImage.objects.all(), by=editor, reason="Not ours.")
    with pytest.raises(RefusedUploadError, match="Not ours"):
        upload(png(), by=editor)
    with pytest.raises(RefusedUploadError, match="taken down"):
        replace(image, png(shade=9), by=editor)
