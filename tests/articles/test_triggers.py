"""What the database keeps in step is installed once, and again when something of it is missing or stale."""

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from articles import triggers
from articles.models import Article, SiteVersion, TopicListing
from articles.search import search
from articles.triggers import index
from tests.factories import make_article, make_topic

pytestmark = pytest.mark.django_db


def words_of(queries: CaptureQueriesContext) -> set[str]:
    return {query["sql"].split()[0].upper() for query in queries}


def drop_one() -> None:
    on = " ON articles_topic" if connection.vendor == "postgresql" else ""
    triggers.run(connection, f"DROP TRIGGER copydesk_listings_articles_topic_update{on}")


def test_migrating_when_there_is_nothing_to_do_alters_nothing_and_lists_nothing_afresh():
    make_article(topics=[make_topic("Oceans")])
    version = SiteVersion.objects.get().token
    with CaptureQueriesContext(connection) as queries:
        call_command("migrate", verbosity=0)
    assert not words_of(queries) & {"CREATE", "DROP", "ALTER", "DELETE", "TRUNCATE", "SET"}
    assert SiteVersion.objects.get().token == version


def test_trigger_that_is_missing_is_put_back_and_what_it_missed_made_good():
    science, oceans = make_topic("Science"), make_topic("Oceans")
    story = make_article(topics=[oceans])
    drop_one()
    oceans.parent = science
    oceans.save()
    triggers.install()
    assert set(TopicListing.objects.values_list("topic", "article")) == {(oceans.pk, story.pk), (science.pk, story.pk)}
    oceans.parent = None
    oceans.save()
    assert TopicListing.objects.count() == 1


def test_triggers_of_another_make_are_made_anew(monkeypatch):
    monkeypatch.setattr(triggers, "PARTS", triggers.PARTS[:-1])
    triggers.install()
    make_article(topics=[make_topic("Oceans")])
    assert not TopicListing.objects.exists()
    monkeypatch.undo()
    triggers.install()
    assert TopicListing.objects.count() == 1


def test_what_changed_while_triggers_were_away_is_found_and_shown():
    make_article(title="Whale")
    triggers.remove()
    Article.objects.update(title="Kraken")
    version = SiteVersion.objects.get().token
    triggers.install()
    assert search(Article.objects.all(), "kraken").exists()
    assert SiteVersion.objects.get().token != version


def test_installing_that_was_cut_short_is_done_again(monkeypatch):
    make_article(title="Whale")
    triggers.remove()
    Article.objects.update(title="Kraken")
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(index, "rebuild", lambda: 1 / 0)
        triggers.install()
    triggers.install()
    assert search(Article.objects.all(), "kraken").exists()


def test_version_has_its_row_again_when_tables_were_emptied():
    SiteVersion.objects.all().delete()
    triggers.install()
    assert SiteVersion.objects.exists()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite's readers shut nobody out")
@pytest.mark.django_db(transaction=True)
def test_triggers_stay_when_somebody_reads_for_longer_than_others_can_wait(monkeypatch):
    monkeypatch.setattr(triggers, "LONGEST_WAIT", "50ms")
    reader = connection.copy()
    reader.set_autocommit(False)
    reader.cursor().execute("SELECT count(*) FROM articles_topic")
    triggers.install()  # waits for nobody, as there is nothing to do
    with pytest.raises(OperationalError, match="lock timeout"):
        triggers.remove()
    reader.close()
    make_article(topics=[make_topic("Oceans")])
    assert TopicListing.objects.exists()
