"""What a story should have before it goes live: each check, and what comes of those that are required."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from articles import checks, workflow
from articles.importing import Options, import_paths
from articles.models import Article
from articles.outbound import link_key
from tests.factories import NOON, add_picture, make_article, make_image, make_topic, make_user

SEEN = "A gull on a mast"


def said(article, *only: str) -> list[str]:
    return [finding.says for finding in checks.findings([article.pk], only or checks.CHECKS)[article.pk]]


def ready(**values) -> Article:
    """A draft of which nothing is wanting."""
    article = make_article(public=False, **{"topics": [make_topic()]} | values)
    add_picture(article, alt=SEEN)
    return article


# --- Each check ---------------------------------------------------------------------------------


@pytest.mark.django_db
class TestEachCheck:
    def test_story_that_has_everything_has_no_finding(self):
        assert said(ready()) == []

    def test_findings_come_in_the_order_of_the_checks(self):
        article = make_article(public=False, title="x" * 201, web_url="", provider=None)
        found = checks.findings([article.pk])[article.pk]
        assert [finding.check.name for finding in found] == ["title", "link", "provider", "topic", "picture"]

    @pytest.mark.parametrize(
        ("title", "says"),
        [
            ("x" * 200, []),
            ("&#8217;" * 140, []),
            ("x" * 201, ["Its title has 201 characters."]),
            (" ", ["It has no title."]),
            ("&nbsp;", ["It has no title."]),
        ],
    )
    def test_title(self, title, says):
        assert said(make_article(title=title), "title") == says

    @pytest.mark.parametrize(
        ("links", "says"),
        [
            ({}, []),
            ({"web_url": "", "original_url": "https://a.example/"}, []),
            ({"web_url": ""}, ["Readers have no link to follow."]),
            ({"web_url": "javascript:alert(1)"}, ["Readers have no link to follow."]),
        ],
    )
    def test_link(self, links, says):
        assert said(make_article(**links), "link") == says

    def test_provider(self):
        assert said(make_article(), "provider") == []
        assert said(make_article(provider=None), "provider") == ["It has no provider."]

    def test_topic(self):
        assert said(make_article(topics=[make_topic()]), "topic") == []
        assert said(make_article(), "topic") == ["It has no topic."]

    def test_picture(self):
        bare, meant, waiting, failed, fine = (make_article(no_picture=n == 1) for n in range(5))
        add_picture(waiting, make_image(cached=False))
        add_picture(failed, make_image(cached=False, state="failed", detail="The server answered 404."))
        add_picture(fine)
        assert said(bare, "picture") == [
            "It has no picture. If it is meant to have none, tick “runs without a picture”."
        ]
        assert said(meant, "picture") == []
        assert said(waiting, "picture") == ["Its picture has not arrived yet."]
        assert said(failed, "picture") == ["Its picture could not be fetched: The server answered 404."]
        assert said(fine, "picture") == []

    def test_picture_that_is_the_lead_counts(self):
        article = make_article(no_picture=True)
        add_picture(article, make_image(cached=False))
        add_picture(article)
        assert said(article, "picture") == ["Its picture has not arrived yet."]

    def test_alternative_text(self):
        article = make_article()
        add_picture(article)
        assert said(article, "alt") == ["Its picture: No alternative text."]
        add_picture(article, alt=SEEN)
        add_picture(article, alt="DSC_0042")
        [text] = said(article, "alt")
        assert text == (
            "Picture 1: No alternative text. Picture 3: “DSC_0042” is the name of a file, not what the picture shows."
        )

    def test_one_check_asks_about_nothing_else(self):
        article = make_article(provider=None)
        assert said(article, "provider") == ["It has no provider."]
        assert checks.findings([article.pk], only=[]) == {article.pk: []}

    def test_story_that_is_gone_has_no_entry(self):
        assert checks.findings([1]) == {}


# --- The same link ------------------------------------------------------------------------------


@pytest.mark.django_db
class TestDuplicate:
    LINK = "https://outlet.example/same"

    def test_link_that_has_run_before(self):
        ran = make_article(title="The tide&#8217;s turn", web_url=self.LINK)
        draft = make_article(public=False, web_url=f"http://www.outlet.example/same/?utm_source=x#{ran.pk}")
        assert said(draft, "duplicate") == ["The same link has run before: “The tide’s turn”."]
        assert said(ran, "duplicate") == []

    def test_link_that_is_to_run(self):
        coming = make_article(title="Soon", web_url=self.LINK, publish_at=timezone.now() + timedelta(days=1))
        draft = make_article(public=False, web_url=self.LINK)
        assert said(draft, "duplicate") == ["The same link is to run already: “Soon”."]
        assert said(coming, "duplicate") == []

    def test_of_drafts_with_one_link_the_older_is_none(self):
        older, newer = (make_article(public=False, title=title, web_url=self.LINK) for title in ("Older", "Newer"))
        assert said(older, "duplicate") == []
        assert said(newer, "duplicate") == ["The same link waits too: “Older”."]

    def test_which_ran_first_is_told_by_when_and_not_by_age(self):
        late = make_article(title="Late", web_url=self.LINK, publish_at=NOON + timedelta(days=1))
        early = make_article(title="Early", web_url=self.LINK, publish_at=NOON)
        assert said(early, "duplicate") == []
        assert said(late, "duplicate") == ["The same link has run before: “Early”."]

    def test_what_was_rejected_does_not_count(self):
        make_article(public=False, status="rejected", web_url=self.LINK)
        assert said(make_article(public=False, web_url=self.LINK), "duplicate") == []

    def test_stories_without_a_link_are_no_duplicates_of_each_other(self):
        for _ in range(2):
            assert said(make_article(public=False, web_url=""), "duplicate") == []

    def test_long_title_is_quoted_in_short(self):
        make_article(title="x" * 100, web_url=self.LINK)
        [text] = said(make_article(public=False, web_url=self.LINK), "duplicate")
        assert "x" * 59 + "…" in text
        assert "x" * 60 not in text


SAME = [
    "https://outlet.example/a?b=1&c=2",
    "http://outlet.example/a?b=1&c=2",
    "https://www.outlet.example/a/?c=2&b=1",
    "https://OUTLET.example/a?b=1&c=2#part",
    "https://outlet.example/a?utm_source=x&b=1&fbclid=y&c=2&UTM_Medium=z",
    " https://outlet.example/a?b=1&c=2 ",
]
OTHERS = [
    "https://outlet.example/A?b=1&c=2",
    "https://outlet.example/a?b=1",
    "https://outlet.example/a?b=1&c=3",
    "https://sub.outlet.example/a?b=1&c=2",
    "https://outlet.example/a/b?b=1&c=2",
    "https://outlet.example/",
]


def test_addresses_that_lead_to_the_same_have_the_same_key_and_others_have_others():
    assert len({link_key(address) for address in SAME}) == 1
    assert len({link_key(address) for address in [SAME[0], *OTHERS]}) == len(OTHERS) + 1


@pytest.mark.parametrize(
    "address", ["", " ", "mailto:a@b.example", "javascript:alert(1)", "https://", "http://[", "a/b"]
)
def test_what_leads_nowhere_has_no_key(address):
    assert link_key(address) is None
    assert link_key(address, SAME[0]) == link_key(SAME[0])


def test_key_fits_the_databases_and_stays():
    assert all(0 <= link_key(address) < 2**63 for address in [*SAME, *OTHERS, "https://a.example/\ud800"])
    assert link_key(SAME[0]) == 2312551662705220730


# --- What is required ---------------------------------------------------------------------------


@pytest.mark.django_db
class TestRequired:
    @pytest.fixture(autouse=True)
    def required(self, settings):
        settings.CHECKS_REQUIRED = ["topic", "provider"]

    @pytest.mark.parametrize("verb", ["publish", "schedule"])
    def test_verbs_that_make_public_are_refused_and_say_what_is_wanting(self, editor, verb):
        article = make_article(public=False, provider=None)
        with pytest.raises(workflow.TransitionError, match=r"^It has no provider. It has no topic.$"):
            workflow.apply(workflow.VERBS[verb], article, by=editor, at=timezone.now() + timedelta(days=1))
        assert Article.objects.get().status == "draft"
        assert not article.events.exists()

    @pytest.mark.parametrize("verb", ["submit", "reject"])
    def test_other_verbs_are_not(self, editor, verb):
        workflow.apply(workflow.VERBS[verb], make_article(public=False, provider=None), by=editor)

    def test_what_is_advice_refuses_nothing(self, editor):
        workflow.publish(make_article(public=False, topics=[make_topic()], web_url=""), by=editor)
        assert Article.objects.published().exists()

    def test_end_of_a_story_that_is_public_can_be_set_whatever_it_lacks(self, editor):
        workflow.schedule(make_article(), by=editor, until=timezone.now() + timedelta(days=1))

    @pytest.mark.parametrize(("field", "hours"), [("publish_at", 300), ("unpublish_at", -1)])
    def test_what_is_published_but_not_public_has_to_pass_before_it_is_again(self, editor, field, hours):
        soon = timezone.now() + timedelta(hours=1)
        article = make_article(**{field: timezone.now() + timedelta(hours=hours)})
        with pytest.raises(workflow.TransitionError, match=r"^It has no topic\.$"):
            workflow.schedule(article, by=editor, at=soon)
        article.set_topics([make_topic()])
        workflow.schedule(article, by=editor, at=soon)

    def test_undo_puts_back_what_was_public_whatever_it_lacks(self, editor):
        article = make_article()
        batch = workflow.apply_to_each(workflow.UNPUBLISH, {article.pk: None}, by=editor, batch=uuid4()).batch
        assert workflow.undo(batch, by=editor).done
        assert Article.objects.published().exists()

    def test_each_of_many_is_judged_by_itself_as_it_was_foreseen(self, editor):
        bare, fine, live = make_article(public=False), make_article(public=False, topics=[make_topic()]), make_article()
        keys = [bare.pk, fine.pk, live.pk]
        foreseen = workflow.foresee(workflow.PUBLISH, keys, by=editor)
        assert foreseen.wanting == {bare.pk: "It has no topic."}
        assert foreseen.refused == {live.pk: "It is published already."}
        result = workflow.apply_to_each(workflow.PUBLISH, dict.fromkeys(keys), by=editor)
        assert result.done.keys() == {fine.pk}
        assert result.refused == foreseen.wanting | foreseen.refused

    def test_desk_says_what_is_wanting(self, client, editor):
        client.force_login(editor)
        article = make_article(public=False)
        data = {"verb": "publish", "story": f"{article.pk}:1"}
        response = client.post(reverse("admin:desk_act"), data, headers={"accept": "application/json"})
        assert "It has no topic." in response.json()["message"]
        assert Article.objects.get().status == "draft"

    def test_import_follows_its_source(self, tmp_path):
        file = tmp_path / "2026-03-02-bare.md"
        head = "category: news\ntitle: Bare\npublishedDateTime: 2026-03-02T12:00:00Z\ntype: article"
        for published in ("false", "true"):
            file.write_text(f"---\n{head}\npublished: {published}\n---\n")
            import_paths([tmp_path], Options())
            assert Article.objects.published().exists() == (published == "true")


# --- Many ---------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_many_take_no_more_queries_than_one():
    def queries(number: int) -> int:
        keys = [ready(web_url="https://outlet.example/same").pk for _ in range(number)]
        with CaptureQueriesContext(connection) as captured:
            checks.findings(keys)
        return len(captured)

    assert queries(1) == queries(10) == 4


@pytest.mark.django_db
def test_thousands_are_asked_about_so_many_at_a_time(monkeypatch):
    monkeypatch.setattr(checks, "CHUNK", 2)
    keys = [make_article(provider=None).pk for _ in range(5)]
    found = checks.findings(keys, only=["provider"])
    assert [len(found[key]) for key in keys] == [1] * 5


@pytest.mark.django_db
def test_who_may_never_do_it_is_told_nothing():
    with pytest.raises(PermissionDenied):
        workflow.foresee(workflow.PUBLISH, [make_article(public=False).pk], by=make_user("Contributors"))
