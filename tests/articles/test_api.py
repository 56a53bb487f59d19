"""The sister site's JSON API."""

import json
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from articles.importing import Options, import_paths
from articles.models import Article, RelatedImage
from tests.factories import NOON, add_picture, make_article, make_image, make_provider, make_related, make_topic

pytestmark = pytest.mark.django_db


def get(client, address: str) -> dict:
    response = client.get(address)
    assert response.status_code == 200, address
    assert response["Content-Type"] == "application/json"
    return response.json()


def test_a_story_has_every_key_the_sister_site_gives(client):
    make_article(topics=[make_topic("AI")], extra={"locale": "fr-fr", "secret": "x"}, secured="SEALED")
    data = get(client, "/api/news/index.json")
    assert (data["page"], data["nextPage"], len(data["value"])) == (1, None, 1)
    story = data["value"][0]
    assert set(story) == {
        "path", "title", "excerpt", "sourceUrl", "webUrl", "originalUrl", "featuredContent", "highlight", "heat",
        "tags", "images", "content", "type", "ampWebUrl", "cdnAmpWebUrl", "publishedDateTime", "updatedDateTime",
        "provider", "locale", "categories", "topics",
    }  # fmt: skip
    assert story["publishedDateTime"] == "2026-03-02T12:00:00Z"
    assert (story["topics"], story["categories"], story["locale"]) == (["AI"], ["news"], "fr-fr")
    assert "SEALED" not in json.dumps(data)


def test_pages_hold_twenty_five_newest_first(client):
    for number in range(26):
        make_article(title=f"Story {number}", published_at=NOON + timedelta(minutes=number))
    first = get(client, "/api/news/index.json")
    assert [story["title"] for story in first["value"]] == [f"Story {number}" for number in range(25, 0, -1)]
    assert first["nextPage"] == "http://testserver/api/news/page/2/index.json"
    second = get(client, "/api/news/page/2/index.json")
    assert ([story["title"] for story in second["value"]], second["nextPage"]) == (["Story 0"], None)


def test_a_topics_list_holds_its_own_stories_only(client):
    topic = make_topic("Canvas apps")
    make_article(title="In", topics=[topic])
    make_article(title="Out")
    assert [story["title"] for story in get(client, "/api/news/canvas-apps/index.json")["value"]] == ["In"]
    assert client.get("/api/news/canvas-apps/page/2/index.json").status_code == 404
    assert client.get("/api/news/nothing/index.json").status_code == 404


def test_unpublished_stories_are_in_no_list(client):
    topic = make_topic("AI")
    make_article(public=False, topics=[topic], title="Hidden")
    for address in ("/api/news/index.json", "/api/topics/index.json"):
        assert get(client, address)["value"] == []
    assert client.get("/api/news/ai/index.json").status_code == 404


def test_topics_are_listed_with_parent_and_id(client):
    parent = make_topic("Technology")
    make_article(topics=[make_topic("AI", parent=parent, source_id="ai", keywords=["robots"])])
    topics = {topic["name"]: topic for topic in get(client, "/api/topics/index.json")["value"]}
    assert topics["AI"]["_id"] == "ai"
    assert (topics["AI"]["parent"], topics["AI"]["keywords"]) == ("Technology", ["robots"])


def test_parent_that_has_no_page_is_not_named(client):
    between = make_topic("Between", parent=make_topic("Lost"))
    make_article(topics=[make_topic("Found", parent=between)])
    topics = {topic["name"]: topic["parent"] for topic in get(client, "/api/topics/index.json")["value"]}
    assert topics == {"Found": "Between", "Between": None}


def test_topic_that_is_described_but_has_no_story_is_not_listed(client):
    make_topic("Idle", description="All about it.")
    assert get(client, "/api/topics/index.json")["value"] == []


def test_old_story_that_goes_live_today_stays_at_its_date(client):
    make_article(title="Old", published_at=NOON - timedelta(days=900), publish_at=NOON + timedelta(hours=1))
    make_article(title="New")
    assert [story["title"] for story in get(client, "/api/news/index.json")["value"]] == ["New", "Old"]


def test_queries_are_as_many_for_one_story_as_for_ten(client, django_assert_num_queries):
    topic = make_topic()
    for _ in range(10):
        story = make_article(topics=[topic])
        add_picture(story)
        related = make_related(story, provider=make_provider())
        RelatedImage.objects.create(related_story=related, image=make_image())
    for published in (10, 1):
        keep = list(Article.objects.values_list("pk", flat=True)[:published])
        Article.objects.exclude(pk__in=keep).update(status="draft")
        with django_assert_num_queries(10):
            assert len(get(client, "/api/news/index.json")["value"]) == published


@pytest.mark.parametrize("number", ["0", "2", "1000001", "9" * 30])
def test_page_that_does_not_exist_is_an_error_in_json(client, number):
    make_article()
    response = client.get(f"/api/news/page/{number}/index.json")
    assert (response.status_code, response["Content-Type"]) == (404, "application/json")
    assert response.json() == {"error": "There is nothing at this address."}


def test_errors_are_json_whatever_they_are(monkeypatch):
    client = Client(raise_request_exception=False)
    refused = client.post("/api/news/index.json")
    assert (refused.status_code, "GET" in refused["Allow"]) == (405, True)
    strange = client.get("/api/news/index.json", headers={"Host": "evil.example"})
    monkeypatch.setattr("articles.api.STORIES_A_PAGE", None)
    broken = client.get("/api/news/index.json")
    for response, status in ((refused, 405), (strange, 400), (broken, 500)):
        assert response.status_code == status
        assert set(response.json()) == {"error"}
        assert response["Access-Control-Allow-Origin"] == "*"
        assert response["Cache-Control"] == "no-cache"


def test_first_page_of_nothing_is_empty(client):
    assert get(client, "/api/news/page/1/index.json") == {"page": 1, "value": [], "nextPage": None}


def test_page_that_is_full_and_the_last_names_no_next_one(client):
    for _ in range(25):
        make_article()
    assert get(client, "/api/news/index.json")["nextPage"] is None
    make_article()
    assert get(client, "/api/news/index.json")["nextPage"] == "http://testserver/api/news/page/2/index.json"


def test_deep_page_is_found_in_the_index_alone(client):
    for number in range(60):
        make_article(published_at=NOON + timedelta(minutes=number))
    with CaptureQueriesContext(connection) as captured:
        assert len(get(client, "/api/news/page/2/index.json")["value"]) == 25
    keys = next(query["sql"] for query in captured if "OFFSET 25" in query["sql"])
    assert re.match(r'SELECT "articles_article"."id"[^,]* FROM', keys)
    if connection.vendor == "sqlite":  # PostgreSQL reads so few rows as they lie
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {keys}")
            assert "USING COVERING INDEX article_by_state" in str(cursor.fetchall())


def test_unchanged_list_is_304(client):
    make_article()
    tag = client.get("/api/news/index.json")["ETag"]
    assert client.get("/api/news/index.json", headers={"If-None-Match": tag}).status_code == 304
    make_article()
    assert client.get("/api/news/index.json", headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("topic", ["ai-builder", "canvas-apps"])
def test_the_corpus_gives_the_sister_sites_own_pages(client, corpus, topic):
    import_paths([corpus / "corpus"], Options())
    expected = json.loads((corpus / f"corpus/api/news/{topic}/index.json").read_text())
    found = {story["path"]: story for story in get(client, reverse("api_topic_news", args=[topic]))["value"]}
    for story in expected["value"]:
        assert found[story["path"]] == story
    order = [story["path"] for story in expected["value"]]
    assert sorted(found, key=order.index) == list(found)
