"""What is taken from the HTML that a source calls a film: an address on a host of ours, or nothing."""

import pytest

from articles.embeds import find_embed

HOSTS = ["www.youtube-nocookie.com", "player.vimeo.com"]


def frame(address: str) -> str:
    return f'<iframe width="560" src="{address}" allowfullscreen></iframe>'


def test_address_of_the_one_frame_is_found_in_whatever_is_around_it():
    html = f"<div class='x'><p>Watch &amp; learn</p>{frame('https://player.vimeo.com/video/1?h=a&amp;t=2')}</div>"
    assert find_embed(html, HOSTS) == ("https://player.vimeo.com/video/1?h=a&t=2", "player.vimeo.com")


@pytest.mark.parametrize("host", ["www.youtube.com", "youtube.com", "WWW.YouTube.com"])
def test_youtube_is_played_from_its_host_without_cookies(host):
    assert find_embed(frame(f"https://{host}/embed/x?rel=0"), HOSTS).address == (
        "https://www.youtube-nocookie.com/embed/x?rel=0"
    )


@pytest.mark.parametrize("hostile", ["<a " * 6600, "<div " * 5000, "<!--" * 5000, "<" * 20_000, "x" * 5000])
def test_what_would_take_long_to_read_is_not_read(hostile):
    assert find_embed(hostile + frame("https://player.vimeo.com/video/1"), HOSTS) is None


def test_address_without_a_scheme_is_https():
    assert find_embed(frame("//player.vimeo.com/video/1"), HOSTS).address == "https://player.vimeo.com/video/1"


@pytest.mark.parametrize(
    "address",
    [
        "http://player.vimeo.com/video/1",
        "https://player.vimeo.com.evil.example/",
        "https://evil.example/player.vimeo.com/",
        "https://evil.example#player.vimeo.com",
        "https://player.vimeo.com@evil.example/",
        "https://user:pass@player.vimeo.com/",
        "https://player.vimeo.com:8443/",
        "https://player.vimeo.com\\@evil.example/",
        "https://player.vimeo.com/&quot;onload=&quot;alert(1)",
        "https://player.vimeo.com/<script>",
        "https://player.vimeo.com/\n1",
        "https://pläyer.vimeo.com/",
        "https://sub.player.vimeo.com/",
        "javascript:alert(1)//player.vimeo.com",
        "data:text/html,x",
        "/video/1",
        "https://[",
        "https:",
        "",
        "https://player.vimeo.com/" + "a" * 2_000,
    ],
)
def test_anything_else_is_no_film(address):
    assert find_embed(frame(address), HOSTS) is None


@pytest.mark.parametrize(
    "html",
    [
        "",
        "<iframe>",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
        "<script src='https://player.vimeo.com/video/1'></script>",
        "<!-- <iframe src='https://player.vimeo.com/video/1'></iframe> -->",
        "<iframe src='https://player.vimeo.com/1'></iframe><iframe src='https://player.vimeo.com/2'></iframe>",
        "<iframe src='https://evil.example/' src='https://player.vimeo.com/video/1'></iframe>",
        "<" * 50_000,
        "<iframe src=" + "'" * 30_000,
    ],
)
def test_html_without_one_plain_frame_is_no_film(html):
    assert find_embed(html, HOSTS) is None


def test_no_host_no_film():
    assert find_embed(frame("https://player.vimeo.com/video/1"), []) is None
