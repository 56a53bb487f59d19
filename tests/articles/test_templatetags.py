from datetime import UTC, datetime, timedelta, timezone

import pytest
import time_machine

from articles.links import absolute, host, safe_url, xml_text
from articles.templatetags.readers import when

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
