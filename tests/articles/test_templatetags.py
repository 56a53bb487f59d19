from datetime import UTC, datetime, timedelta, timezone

import pytest
import time_machine
from django.urls import NoReverseMatch, reverse, set_script_prefix

from articles.links import absolute, host, route, safe_url, xml_text
from articles.templatetags.readers import still, when

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("url", ["http://a.example", "https://a.example/?q=1#x", "HTTPS://A.example/"])
def test_web_address_is_safe(url):
    assert safe_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        " javascript:alert(1)",
        "java\nscript:x",
        "data:text/html,x",
        "//a.example",
        "/a",
        "https:",
        "https://[",
    ],
)
def test_anything_else_is_not_linked(url):
    assert safe_url(url) == ""


def test_host_is_named_without_www():
    assert host("https://www.wired.com:443/story") == "wired.com"
    assert host("mailto:a@b.example") == ""


def test_absolute_address_is_on_our_site_unless_it_is_elsewhere_already(settings):
    settings.SITE_URL = "https://news.example"
    assert absolute("/media/a.jpg") == "https://news.example/media/a.jpg"
    assert absolute("https://cdn.example/a.jpg") == "https://cdn.example/a.jpg"


def test_xml_text_drops_what_xml_forbids_and_nothing_else():
    assert xml_text("a\x00b\x1fc\ufffed\ud800e\tf\né😀") == "abcde\tf\né😀"


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize(
    "moment, text",
    [
        (NOW, "12:00 UTC"),
        (NOW.replace(hour=0), "00:00 UTC"),
        (NOW - timedelta(days=1), "1 March 2026"),
        (NOW + timedelta(days=1), "3 March 2026"),
        (datetime(2026, 3, 2, 1, tzinfo=timezone(timedelta(hours=9))), "1 March 2026"),
    ],
)
def test_today_has_the_hour_and_other_days_the_date(moment, text):
    assert f">{text}</time>" in when(moment)


def test_no_date_is_nothing():
    assert when(None) == ""


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("home", ()),
        ("article", ("2023-09-14-a & b?c#d%20é",)),
        ("topic", ("東京",)),
        ("archive_day", (NOW.date(),)),
        ("card", ("topic", 7, "0" * 20)),
    ],
)
def test_route_is_what_reverse_says_wherever_the_site_is_mounted(name, arguments):
    try:
        for prefix in ("/", "/news-site/", "/"):
            set_script_prefix(prefix)
            assert route(name, *arguments) == route(name, *arguments) == reverse(name, args=arguments)
    finally:
        set_script_prefix("/")


def test_route_that_is_none_is_an_error_each_time():
    for _ in range(2):
        with pytest.raises(NoReverseMatch):
            route("article", "a/b")


def test_still_part_is_another_one_for_another_site_another_day_and_other_values(settings):
    with time_machine.travel(NOW, tick=False) as clock:
        masthead = "articles/_masthead.html"
        first = still(masthead, sections=(), here=())
        assert "Monday 2 March 2026" in first
        assert still(masthead, sections=(), here=()) is first
        clock.shift(timedelta(days=1))
        assert "Tuesday 3 March 2026" in still(masthead, sections=(), here=())
        settings.SITE_NAME = "The <Other> Paper"
        assert "The &lt;Other&gt; Paper" in still(masthead, sections=(), here=())
        settings.TIME_ZONE = "Pacific/Kiritimati"
        assert "Wednesday 4 March 2026" in still(masthead, sections=(), here=())
