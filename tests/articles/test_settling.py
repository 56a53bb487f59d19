"""Settling conflicts between editors and the source: what is stored, what is kept of it, and what is refused."""

import pytest
from django.db import transaction

from articles.importing.batches import UnstorableError
from articles.importing.settling import StaleError, disputes, forget_agreed, locked, settle
from articles.models import Article, Conflict, Topic
from articles.search import search
from images.models import RemoteImage
from providers.models import Provider
from tests.factories import (
    add_picture,
    make_article,
    make_conflict,
    make_image,
    make_provider,
    make_related,
    make_source,
    make_topic,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor():
    return make_user("Editors", username="ana")


def seen(record) -> dict[str, str]:
    """What an editor who opens the page now is shown of each field."""
    return {dispute.name: dispute.digest for dispute in disputes(type(record).objects.get(pk=record.pk).source_file)}


def decide(record, editor, *, take: bool, shown: dict[str, str] | None = None) -> None:
    shown = seen(record) if shown is None else shown
    with transaction.atomic():
        settle(locked(record.source_file.pk), shown, take=take, by=editor)
    record.refresh_from_db()


def pictures(record) -> list[str]:
    return [use.image.source_url for use in record.pictures.all()]


# --- Keeping ours -------------------------------------------------------------------------------


def test_keeping_ours_changes_nothing_but_that_it_is_settled(editor):
    article = make_article(title="Ours")
    make_conflict(article, "title")
    before = Article.objects.filter(pk=article.pk).values().get()
    decide(article, editor, take=False)
    assert Article.objects.filter(pk=article.pk).values().get() == before
    assert not Conflict.objects.exists()
    assert not article.revisions.exists()
    event = article.events.get()
    assert (event.verb, event.actor, event.data) == ("settle", editor, {"fields": ["title"], "took": False})


# --- Taking theirs ------------------------------------------------------------------------------


def test_taking_theirs_stores_it_as_a_new_version_that_can_be_undone(editor):
    article = make_article(title="Ours", excerpt="Ours too")
    make_conflict(article, "title", theirs="Theirs")
    decide(article, editor, take=True)
    assert (article.title, article.excerpt, article.version) == ("Theirs", "Ours too", 2)
    assert not Conflict.objects.exists()
    after, before = article.revisions.all()
    assert [before.document["title"], after.document["title"]] == ["Ours", "Theirs"]
    assert (before.version, after.version, after.author) == (1, 2, editor)
    event = article.events.get()
    assert (event.verb, event.actor) == ("settle", editor)
    assert event.data == {"fields": ["title"], "took": True, "version": 2}


def test_what_is_taken_is_found_by_readers_search(editor):
    article = make_article(title="Ours")
    make_conflict(article, "title", theirs="Zeppelins")
    decide(article, editor, take=True)
    assert list(search(Article.objects.all(), "zeppelins")) == [article]


def test_several_fields_are_taken_as_one_version(editor):
    article = make_article(title="Ours", web_url="https://ours.example/")
    make_conflict(article, "title", theirs="Theirs")
    make_conflict(article, "web_url", base=None, theirs="https://theirs.example/")
    decide(article, editor, take=True)
    assert (article.title, article.web_url, article.version) == ("Theirs", "https://theirs.example/", 2)
    assert article.events.get().data == {"fields": ["title", "web_url"], "took": True, "version": 2}


def test_one_field_is_settled_and_the_other_stays_open(editor):
    article = make_article(title="Ours", excerpt="Ours")
    make_conflict(article, "title", theirs="Theirs")
    make_conflict(article, "excerpt", theirs="Theirs")
    shown = seen(article)
    decide(article, editor, take=True, shown={"title": shown["title"]})
    assert (article.title, article.excerpt) == ("Theirs", "Ours")
    assert [conflict.field for conflict in Conflict.objects.all()] == ["excerpt"]


def test_a_value_that_the_source_dropped_is_dropped_by_a_take(editor):
    article = make_article(quality=70, excerpt="Ours")
    make_conflict(article, "quality", base=50, theirs=None)
    make_conflict(article, "excerpt", theirs=None)
    decide(article, editor, take=True)
    assert (article.quality, article.excerpt) == (None, "")


def test_a_provider_is_taken_by_its_domain_and_made_where_it_is_new(editor):
    article = make_article(provider=make_provider(domain="ours.example"))
    theirs = {"name": "Theirs", "domain": "theirs.example", "authors": ["Ada"]}
    make_conflict(article, "provider", base={"name": "Base", "domain": "base.example"}, theirs=theirs)
    decide(article, editor, take=True)
    assert article.provider == Provider.objects.get(domain="theirs.example")
    assert article.provider_ref == theirs


def test_taking_pictures_keeps_those_that_the_editor_added(editor):
    article = make_article()
    add_picture(article, make_image(source_url="https://p.example/both.png"), width=500)
    add_picture(article, make_image(source_url="https://p.example/ours.png"), title="Ours")
    base = [{"url": "https://p.example/both.png", "width": 100}]
    theirs = [{"url": "https://p.example/both.png", "width": 300}, {"url": "https://p.example/theirs.png"}]
    make_conflict(article, "images", base=base, theirs=theirs)
    decide(article, editor, take=True)
    assert set(pictures(article)) == {f"https://p.example/{name}.png" for name in ("both", "ours", "theirs")}
    assert article.pictures.get(image__source_url__endswith="both.png").width == 300
    assert article.pictures.get(title="Ours").image.has_picture, "the picture that was cached stays so"
    assert RemoteImage.objects.count() == 3


def test_taking_related_stories_keeps_those_that_the_editor_added(editor):
    article = make_article()
    make_related(article, title="Ours", web_url="https://r.example/both")
    make_related(article, title="Added", web_url="https://r.example/ours")
    both = {"title": "Base", "webUrl": "https://r.example/both", "publishedDateTime": "2026-03-02T12:00:00Z"}
    make_conflict(article, "related", base=[both], theirs=[both | {"title": "Theirs"}])
    decide(article, editor, take=True)
    assert [story.title for story in article.related_stories.all()] == ["Theirs", "Added"]


def test_unknown_keys_are_taken_where_they_are_disputed(editor):
    article = make_article(extra={"kicker": "Ours", "desk": "Ours"})
    make_conflict(article, "extra", base={"kicker": "Base"}, theirs={"kicker": "Theirs"})
    decide(article, editor, take=True)
    assert article.extra == {"kicker": "Theirs", "desk": "Ours"}


def test_a_take_touches_neither_seal_nor_heat_nor_state(editor):
    article = make_article(title="Ours", secured="AAAA;BBBB", heat=7)
    make_conflict(article, "title")
    decide(article, editor, take=True)
    assert (article.secured, article.heat, article.status) == ("AAAA;BBBB", 7, "published")
    assert Article.objects.published().filter(pk=article.pk).exists()


# --- What is seen counts ------------------------------------------------------------------------


def test_a_conflict_is_settled_once(editor):
    article = make_article(title="Ours")
    make_conflict(article, "title")
    shown = seen(article)
    decide(article, editor, take=False, shown=shown)
    with pytest.raises(StaleError):
        decide(article, editor, take=True, shown=shown)
    assert (article.title, article.events.count()) == ("Ours", 1)


@pytest.mark.parametrize("whose", ["ours", "theirs"])
@pytest.mark.parametrize("take", [True, False])
def test_a_value_that_the_editor_has_not_seen_is_not_decided_about(editor, whose, take):
    article = make_article(title="Ours")
    make_conflict(article, "title", theirs="Theirs")
    shown = seen(article)
    if whose == "ours":
        Article.objects.filter(pk=article.pk).update(title="Ours, newer")
    else:
        Conflict.objects.update(theirs="Theirs, newer")
    with pytest.raises(StaleError):
        decide(article, editor, take=take, shown=shown)
    article.refresh_from_db()
    assert article.title == ("Ours, newer" if whose == "ours" else "Ours")
    assert Conflict.objects.exists()
    assert not article.events.exists()


def test_one_stale_field_holds_up_all(editor):
    article = make_article(title="Ours", excerpt="Ours")
    make_conflict(article, "title")
    make_conflict(article, "excerpt")
    shown = seen(article)
    Conflict.objects.filter(field="excerpt").update(theirs="Newer")
    with pytest.raises(StaleError):
        decide(article, editor, take=True, shown=shown)
    article.refresh_from_db()
    assert (article.title, Conflict.objects.count()) == ("Ours", 2)


def test_nothing_seen_settles_nothing(editor):
    article = make_article()
    make_conflict(article)
    with pytest.raises(StaleError):
        decide(article, editor, take=True, shown={})


def test_a_file_that_is_gone_is_not_there_to_be_locked():
    with transaction.atomic():
        assert locked(999_999) is None


# --- What cannot be taken -----------------------------------------------------------------------


@pytest.mark.parametrize(("field", "theirs"), [("title", None), ("web_url", "ftp://x.example/"), ("topics", "AI")])
def test_a_value_that_cannot_be_stored_is_refused_and_can_still_be_let_go(editor, field, theirs):
    article = make_article(title="Ours")
    make_conflict(article, field, base=None, theirs=theirs)
    with pytest.raises(UnstorableError, match=field):
        decide(article, editor, take=True)
    article.refresh_from_db()
    assert (article.title, article.version) == ("Ours", 1)
    decide(article, editor, take=False)
    assert not Conflict.objects.exists()


# --- Providers and topics -----------------------------------------------------------------------


def test_a_providers_value_is_taken_and_its_own_additions_stay(editor):
    provider = make_provider(name="Ours", other_names=["Base", "Added"], description="Ours")
    provider.logos.create(image=make_image(source_url="https://p.example/logo.png"), position=0)
    make_conflict(provider, "name", base="", theirs="Theirs")
    make_conflict(provider, "other_names", base=["Base"], theirs=["Theirs"])
    decide(provider, editor, take=True)
    assert (provider.name, provider.description) == ("Theirs", "Ours")
    assert set(provider.other_names) == {"Theirs", "Added"}
    assert provider.logos.count() == 1
    assert not Conflict.objects.exists()


def test_logos_are_taken(editor):
    provider = make_provider()
    provider.logos.create(image=make_image(source_url="https://p.example/logo.png"), position=0, width=5)
    logo = {"url": "https://p.example/logo.png"}
    make_conflict(provider, "images", base=[logo | {"width": 1}], theirs=[logo | {"width": 9}])
    decide(provider, editor, take=True)
    assert provider.logos.get().width == 9


def test_a_topics_parent_is_taken_by_its_name(editor):
    science = make_topic("Science")
    topic = make_topic("Space", parent=make_topic("Ours"), slug="space-here")
    make_conflict(topic, "parent", base=None, theirs="science")
    decide(topic, editor, take=True)
    assert (topic.parent, topic.slug) == (science, "space-here")


def test_a_topic_cannot_take_another_topics_name(editor):
    make_topic("Taken")
    topic = make_topic("Ours")
    make_conflict(topic, "name", base="Base", theirs="taken")
    with pytest.raises(UnstorableError, match="another topic"):
        decide(topic, editor, take=True)
    topic.refresh_from_db()
    assert topic.name == "Ours"
    assert Conflict.objects.exists()


def test_a_provider_cannot_take_another_providers_domain(editor):
    make_provider(domain="taken.example")
    provider = make_provider(domain="ours.example")
    make_conflict(provider, "domain", base="base.example", theirs="taken.example")
    with pytest.raises(UnstorableError, match="already"):
        decide(provider, editor, take=True)
    assert Provider.objects.filter(domain="ours.example").exists()


def test_a_topic_cannot_take_a_parent_below_itself(editor):
    topic = make_topic("Top", parent=make_topic("Ours"))
    make_topic("Below", parent=topic)
    make_conflict(topic, "parent", base=None, theirs="Below")
    with pytest.raises(UnstorableError, match="itself below"):
        decide(topic, editor, take=True)
    assert Topic.objects.get(pk=topic.pk).parent.name == "Ours"


# --- When both come to say the same -------------------------------------------------------------


def test_a_conflict_in_which_nothing_is_left_to_take_is_forgotten():
    article = make_article(title="Theirs", excerpt="Ours", topics=[make_topic("AI")])
    make_conflict(article, "title", theirs="Theirs")
    make_conflict(article, "excerpt", theirs="Theirs")
    make_conflict(article, "topics", base=None, theirs=["ai"])
    forget_agreed(article)
    assert [conflict.field for conflict in Conflict.objects.all()] == ["excerpt"]


def test_a_conflict_over_a_list_is_over_when_only_our_additions_differ():
    article = make_article()
    add_picture(article, make_image(source_url="https://p.example/both.png"), width=300)
    add_picture(article, make_image(source_url="https://p.example/ours.png"))
    both = {"url": "https://p.example/both.png"}
    make_conflict(article, "images", base=[both | {"width": 100}], theirs=[both | {"width": 300}])
    forget_agreed(article)
    assert not Conflict.objects.exists()


def test_an_editor_who_goes_back_to_the_old_value_has_not_settled_it():
    article = make_article(title="Base")
    make_conflict(article, "title", base="Base", theirs="Theirs")
    forget_agreed(article)
    assert Conflict.objects.exists()


def test_a_conflict_that_cannot_be_taken_is_not_over():
    article = make_article(title="Ours")
    make_conflict(article, "title", theirs=None)
    forget_agreed(article)
    assert Conflict.objects.exists()


def test_other_records_conflicts_stay():
    agreed, other = make_article(title="Same"), make_article(title="Same")
    make_conflict(agreed, "title", theirs="Same")
    make_conflict(other, "title", theirs="Same")
    forget_agreed(agreed)
    assert Conflict.objects.get().source.article == other


def test_forgetting_asks_one_question_where_nothing_is_open(django_assert_num_queries):
    article = make_article()
    make_source(article)
    with django_assert_num_queries(1):
        forget_agreed(article)
