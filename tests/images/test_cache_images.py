import pytest
from django.core.management import CommandError, call_command

from images.management.commands import cache_images
from images.models import RemoteImage
from tests.factories import make_image, png
from tests.fetching.hosts import answer, by_path

pytestmark = pytest.mark.django_db


def run(capsys, *arguments) -> tuple[str, str]:
    call_command("cache_images", *arguments)
    out, err = capsys.readouterr()
    return out, err


def test_says_what_was_cached_and_names_what_failed(hosting, capsys):
    host = hosting(by_path(good=answer(body=png()), gone=answer("404 Not Found")))
    for path in ("/good", "/gone"):
        make_image(cached=False, source_url=host.url(path))
    out, err = run(capsys)
    assert out == "cached=1 failed=1\n"
    assert err.strip() == f"{host.url('/gone')}: http_404: The server answered with status 404."


def test_second_run_has_nothing_to_do(hosting, capsys):
    host = hosting(by_path(good=answer(body=png()), gone=answer("404 Not Found")))
    for path in ("/good", "/gone"):
        make_image(cached=False, source_url=host.url(path))
    run(capsys)
    asked = len(host.requests)
    assert run(capsys) == ("cached=0 failed=0\n", "")
    assert len(host.requests) == asked


def test_limit(hosting, capsys):
    host = hosting(answer(body=png()))
    for n in range(3):
        make_image(cached=False, source_url=host.url(f"/{n}"))
    assert run(capsys, "--limit", "2")[0] == "cached=2 failed=0\n"
    assert RemoteImage.objects.filter(state="pending").count() == 1


def test_failed_ones_are_retried_on_request(hosting, capsys):
    host = hosting(answer(body=png()))
    make_image(cached=False, source_url=host.url(), state="failed", reason="http_404", next_attempt_at=None)
    assert run(capsys)[0] == "cached=0 failed=0\n"
    assert run(capsys, "--retry-failed")[0] == "cached=1 failed=0\n"


def test_pictures_that_could_not_be_fetched_again_are_retried_too(hosting, capsys):
    host = hosting(answer(body=png()))
    image = make_image(source_url=host.url())
    RemoteImage.objects.filter(pk=image.pk).update(reason="http_404", detail="Gone.")
    assert run(capsys, "--retry-failed")[0] == "cached=1 failed=0\n"


def test_stopped_by_hand_it_says_so_and_nothing_is_lost(hosting, monkeypatch):
    host = hosting(answer(body=png()))
    make_image(cached=False, source_url=host.url())

    def interrupted(**options):
        raise KeyboardInterrupt

    monkeypatch.setattr(cache_images, "cache_due", interrupted)
    with pytest.raises(CommandError, match="Stopped"):
        call_command("cache_images")


@pytest.mark.parametrize("limit", ["0", "-1"])
def test_impossible_limit_is_an_error(limit):
    with pytest.raises(CommandError, match="--limit must be at least 1"):
        call_command("cache_images", f"--limit={limit}")
