"""What every answer carries: policies, compression; and missing pages on a developer's machine."""

import gzip

import pytest
from django.http import HttpResponse
from django.test import Client

from config.middleware import ContentPolicyMiddleware, content_policy
from tests.factories import add_picture, make_article, make_user

pytestmark = pytest.mark.django_db

PACKED = {"Accept-Encoding": "gzip, br"}


# --- Policies -----------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/", "/nothing-here/", "/admin/login/", "/feeds/all.atom", "/static/css/site.css"])
def test_every_answer_says_that_only_our_own_may_be_loaded(client, address):
    response = client.get(address)
    response.close()
    policy = dict(part.split(" ", 1) for part in response["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "font-src": "'self'",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "img-src": "'self'",
        "frame-src": "https://www.youtube.com https://www.youtube-nocookie.com https://player.vimeo.com",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    refused = response["Permissions-Policy"].split(", ")
    assert {"camera=()", "geolocation=()", "microphone=()", "payment=()", "browsing-topics=()"} <= set(refused)
    assert response["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("address", ["/", "/admin/login/", "/search/?q=x", "/nothing-here/"])
def test_pages_are_in_no_frame_and_no_other_sites_document(client, address):
    response = client.get(address)
    assert response["X-Frame-Options"] == "DENY"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("address", ["/feeds/all.json", "/api/topics/index.json", "/static/icons/touch.png"])
def test_what_is_made_for_other_sites_may_be_used_there(client, address):
    response = client.get(address)
    response.close()
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"


@pytest.mark.parametrize("address", ["/", "/api/news/index.json"])
@pytest.mark.parametrize("host", ["testserver", "evil.example"])
def test_who_comes_without_tls_is_told_all_of_it_too(settings, address, host):
    settings.SECURE_SSL_REDIRECT = True
    response = Client().get(address, headers={"Host": host})
    assert response.status_code == (301 if host == "testserver" else 400)
    for name in ("Content-Security-Policy", "Permissions-Policy", "X-Content-Type-Options", "Referrer-Policy"):
        assert response.has_header(name), name
    assert response.has_header("Access-Control-Allow-Origin") == address.startswith("/api/")


def test_browsers_are_told_to_stay_with_tls_where_there_is_some(settings):
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = 3600, True
    client = Client()
    assert client.get("/", secure=True)["Strict-Transport-Security"] == "max-age=3600; includeSubDomains"
    assert not client.get("/").has_header("Strict-Transport-Security")


@pytest.mark.parametrize("status", [400, 404, 410, 500])
def test_error_is_asked_for_again_each_time(rf, status):
    response = ContentPolicyMiddleware(lambda request: HttpResponse(status=status))(rf.get("/"))
    assert response["Cache-Control"] == "no-cache"


def test_pictures_may_come_from_the_host_that_serves_them():
    assert "img-src 'self' https://cdn.example:8443; " in content_policy("https://cdn.example:8443/media/")
    assert "img-src 'self' https://cdn.example; " in content_policy("https://cdn.example/")


def test_frames_may_come_from_the_hosts_of_films_alone():
    assert "frame-src https://a.example https://b.example; " in content_policy("/media/", ["a.example", "b.example"])
    assert "frame-src 'none'; " in content_policy("/media/", [])


def test_a_view_may_allow_less(rf):
    strict = {"Content-Security-Policy": "default-src 'none'"}
    response = ContentPolicyMiddleware(lambda request: HttpResponse(headers=strict))(rf.get("/"))
    assert response["Content-Security-Policy"] == "default-src 'none'"


@pytest.mark.parametrize(("debug", "status", "there"), [(True, 500, False), (True, 200, True), (False, 500, True)])
def test_only_technical_error_pages_may_bring_their_own_styles(rf, settings, debug, status, there):
    settings.DEBUG = debug
    response = ContentPolicyMiddleware(lambda request: HttpResponse(status=status))(rf.get("/"))
    assert response.has_header("Content-Security-Policy") is there


def test_refused_form_is_told_so_in_our_own_dress():
    response = Client(enforce_csrf_checks=True).post("/admin/login/")
    assert response.status_code == 403
    assert "That form could not be accepted." in response.text
    assert "what you wrote is still there" in response.text
    assert "<style" not in response.text


# --- For scripts on other sites -----------------------------------------------------------------

SHARED = ["/feeds/all.atom", "/feeds/search.json?q=x", "/api/news/index.json", "/api/nothing/", "/feeds/topics/x.atom"]


@pytest.mark.parametrize("address", SHARED)
def test_feeds_and_api_may_be_read_by_scripts_on_any_site_without_its_readers_cookies(client, address):
    response = client.get(address, headers={"Origin": "https://elsewhere.example"})
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Access-Control-Expose-Headers"] == "ETag"
    assert not response.has_header("Access-Control-Allow-Credentials")


def test_unchanged_answer_may_be_read_too(client):
    tag = client.get("/api/news/index.json")["ETag"]
    again = client.get("/api/news/index.json", headers={"If-None-Match": tag})
    assert (again.status_code, again["Access-Control-Allow-Origin"]) == (304, "*")


@pytest.mark.parametrize("address", SHARED)
def test_browser_may_ask_before_it_asks(client, address):
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}
    response = client.options(address, headers=asked | {"Access-Control-Request-Headers": "if-none-match"})
    assert (response.status_code, response.content) == (204, b"")
    assert response["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert "If-None-Match" in response["Access-Control-Allow-Headers"]
    assert response["Access-Control-Max-Age"] == "86400"


@pytest.mark.parametrize("address", ["/", "/admin/login/", "/robots.txt", "/apis/"])
def test_nothing_else_may(client, address):
    for method in (client.get, client.options):
        assert not method(address).has_header("Access-Control-Allow-Origin")


# --- Compression --------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/", "/feeds/all.atom", "/api/news/index.json", "/sitemap-0.xml"])
def test_text_is_packed_for_who_can_unpack_it(client, address):
    make_article()
    plain, packed = client.get(address), client.get(address, headers=PACKED)
    assert not plain.has_header("Content-Encoding")
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert "Accept-Encoding" in plain["Vary"]


def test_what_was_packed_is_304_as_long_as_the_text_is_the_same(client):
    story = make_article()
    tag = client.get(story.get_absolute_url(), headers=PACKED)["ETag"]
    for encoding in (PACKED, {}):
        again = client.get(story.get_absolute_url(), headers={**encoding, "If-None-Match": tag})
        assert again.status_code == 304
    story.title = "Another title"
    story.save()
    assert client.get(story.get_absolute_url(), headers={**PACKED, "If-None-Match": tag}).status_code == 200


def test_pictures_are_sent_as_they_are_with_their_length(client):
    image = add_picture(make_article()).image
    response = client.get(image.rendition_url(image.rendition_widths()[0], "webp"), headers=PACKED)
    assert not response.has_header("Content-Encoding")
    assert int(response["Content-Length"]) == len(response.getvalue())


# --- Missing pages with DEBUG on ----------------------------------------------------------------


@pytest.mark.parametrize("address", ["/nothing-here/", "/news/nothing/", "/archive/2026/02/30/"])
def test_reader_of_the_demo_sees_our_own_404(client, settings, address):
    settings.DEBUG = True
    response = client.get(address)
    assert response.status_code == 404
    assert "There is no such page." in response.text


def test_editor_of_the_demo_sees_the_technical_404(client, settings):
    settings.DEBUG = True
    client.force_login(make_user(is_superuser=True))
    response = client.get("/admin/nothing/")
    assert response.status_code == 404
    assert "DEBUG = True" in response.text
