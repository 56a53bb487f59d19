"""Facts that the database itself keeps, and what models say of themselves."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError
from django.db.models import ProtectedError

from articles.models import Article, SourceFile, Topic
from tests.factories import NOON, add_picture, make_article, make_provider, make_topic

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "facts",
    [
        {"status": "published", "publish_at": None},
        {"status": "nonsense"},
        {"stem": ""},
        {"title": ""},
        {"publish_at": NOON, "unpublish_at": NOON - timedelta(hours=1)},
    ],
)
def test_the_database_refuses_an_impossible_article(facts):
    with pytest.raises(IntegrityError):
        make_article(**facts)


def test_two_articles_cannot_share_an_address():
    make_article(stem="2026-01-01-a")
    with pytest.raises(IntegrityError):
        make_article(stem="2026-01-01-a")


def test_two_spellings_cannot_be_two_topics():
    make_topic("Artificial intelligence")
    with pytest.raises(IntegrityError):
        make_topic(" artificial  INTELLIGENCE")


def test_a_source_file_describes_exactly_one_record():
    with pytest.raises(IntegrityError):
        SourceFile.objects.create(path="a.md", text="", digest="0" * 64, imported_at=NOON)


def test_topics_keep_their_order_and_count_once():
    beta, alpha = make_topic("Beta"), make_topic("Alpha")
    article = make_article(topics=[beta, alpha, beta])
    assert [topic.name for topic in article.topics.all()] == ["Beta", "Alpha"]
    [loaded] = Article.objects.for_cards()
    assert [topic.name for topic in loaded.topics.all()] == ["Beta", "Alpha"]


def test_topics_added_through_taggit_come_last_and_in_any_case():
    article = make_article(topics=[make_topic("Beta")])
    make_topic("Alpha")
    article.topics.add("alpha", "Gamma")
    assert list(article.topics.names()) == ["Beta", "Alpha", "Gamma"]
    assert Topic.objects.count() == 3


def test_a_topic_without_letters_has_an_address_all_the_same():
    first, second = make_topic("!!!"), make_topic("???")
    assert first.slug and second.slug and first.slug != second.slug


def test_entities_are_what_readers_see_as_characters():
    article = make_article(title="It&#8217;s &amp; <b>", excerpt="a&nbsp;b")
    assert (article.headline, article.summary) == ("It’s & <b>", "a\xa0b")


def test_a_provider_with_stories_cannot_be_deleted():
    provider = make_provider()
    make_article(provider=provider)
    with pytest.raises(ProtectedError):
        provider.delete()


def test_cards_cost_the_same_queries_however_many_there_are(django_assert_num_queries):
    topic = make_topic()
    for _ in range(10):
        add_picture(make_article(topics=[topic]))
    for count in (1, 10):
        with django_assert_num_queries(5):
            for article in Article.objects.published().for_cards()[:count]:
                _ = (article.lead_image.image.width, article.provider.logo, list(article.topics.all()))


def test_the_two_groups_are_there_with_their_rights():
    rights = {group.name: set(group.permissions.values_list("codename", flat=True)) for group in Group.objects.all()}
    assert {"add_article", "change_article", "view_article"} <= rights["Contributors"]
    assert "publish_article" not in rights["Contributors"]
    assert "publish_article" in rights["Editors"]
    assert "delete_article" not in rights["Editors"] | rights["Contributors"]
