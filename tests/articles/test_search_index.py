"""The search index is exact after whatever writes."""

import io
import json
from datetime import timedelta

import pytest
from django.core import serializers
from django.core.management import call_command
from django.db import connection, transaction
from django.urls import reverse

from articles import triggers
from articles.importing import Options, import_paths
from articles.importing.settling import disputes, settle
from articles.models import Article, ArticleTopic, SiteVersion, Topic
from articles.search import search
from articles.triggers import index
from providers.models import Provider
from tests.articles.pages import filled
from tests.factories import make_article, make_conflict, make_provider, make_topic

pytestmark = pytest.mark.django_db

FILE = """---
category: news
title: {title}
publishedDateTime: 2026-03-02T12:00:00Z
webUrl: https://outlet.example/{name}
type: article
published: true
provider:
  name: {outlet}
  domain: outlet.example
topics:
{topics}
---
"""


def found(query: str) -> list[str]:
    return sorted(search(Article.objects.all(), query).values_list("title", flat=True))


def rows() -> list[tuple]:
    columns = "article_id, document::text" if connection.vendor == "postgresql" else "rowid, *"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {index.TABLE}")
        return sorted(map(_in_any_order, cursor.fetchall()))


def _in_any_order(row: tuple) -> tuple:
    """Topics are indexed in no order of theirs."""
    return tuple(sorted(value.split()) if isinstance(value, str) else value for value in row)


@pytest.fixture(autouse=True)
def exact():
    """Whatever a test has done: the index is as if it had just been made."""
    yield
    kept = rows()
    index.rebuild()
    assert kept == rows()


@pytest.fixture
def whale():
    return make_article(
        title="Whale", excerpt="Song", provider=make_provider(name="Harbour Post"), topics=[make_topic("Oceans")]
    )


# --- Articles ---------------------------------------------------------------------------------------


def test_new_story_is_found_by_all_it_has(whale):
    for query in ("whale", "song", "harbour", "oceans", "topic:oceans"):
        assert found(query) == ["Whale"]


def test_saved_story_is_found_by_its_new_words_alone(whale):
    whale.title = "Kraken"
    whale.save()
    assert found("kraken") == ["Kraken"]
    assert found("whale") == []


def test_script_that_updates_a_title_past_the_orms_save_is_followed(whale):
    Article.objects.filter(pk=whale.pk).update(title="R&amp;D at the Kraken&#8217;s café")
    for query in ("kraken", "café", '"r d"'):
        assert len(found(query)) == 1, query
    assert found("whale") == []
    assert found("song") != []
    whale.refresh_from_db()
    whale.save()  # and all is as it should be


def test_rows_created_past_save_are_found():
    provider = make_provider()
    values = {"web_url": "https://x.example/", "published_at": make_article().published_at, "provider": provider}
    Article.objects.bulk_create([Article(title="Bulky whale", stem="bulky", **values)])
    Topic.objects.bulk_create([Topic(name="Bulky topic", slug="bulky", key="bulky topic")])
    Provider.objects.bulk_create([Provider(name="Bulky outlet", domain="bulky.example", other_names=["Grösse"])])
    bulky = Article.objects.get(stem="bulky")
    bulky.set_topics([Topic.objects.get(slug="bulky")])
    Article.objects.filter(pk=bulky.pk).update(provider=Provider.objects.get(domain="bulky.example"))
    for query in ('"bulky whale"', '"bulky topic"', '"bulky outlet"', "größe"):
        assert found(query) == ["Bulky whale"], query
    index.rebuild()


def test_change_of_the_date_is_followed(whale):
    Article.objects.update(published_at=whale.published_at - timedelta(days=400))
    assert found("whale after:2026") == []
    assert found("whale before:2026") == ["Whale"]


def test_change_of_the_provider_is_followed(whale):
    Article.objects.update(provider=make_provider(name="Gazette", domain="gazette.example"))
    assert found("harbour") == []
    assert found("gazette") == found("provider:gazette.example") == ["Whale"]
    Article.objects.update(provider=None)
    assert found("gazette") == []


def test_deleted_story_leaves_nothing(whale):
    make_article(title="Whale again")
    whale.delete()
    assert found("whale") == ["Whale again"]
    Article.objects.all().delete()
    assert rows() == []


def test_heat_and_seal_leave_the_index_alone(whale):
    with connection.cursor() as cursor:  # a mark that any write to the row would take away
        if connection.vendor == "postgresql":
            cursor.execute(f"UPDATE {index.TABLE} SET document = document || 'zeppelin'::tsvector")
        else:
            cursor.execute(f"UPDATE {index.TABLE} SET excerpt = 'zeppelin'")
    Article.objects.update(heat=7, secured="sealed", status="rejected")
    assert found("zeppelin") == ["Whale"]
    index.rebuild()


def test_what_is_rolled_back_is_not_found(whale):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        whale.title = "Kraken"
        whale.save()
        assert found("kraken") == ["Kraken"]
        raise ZeroDivisionError
    assert found("kraken") == []
    assert found("whale") == ["Whale"]


# --- Topics and providers ---------------------------------------------------------------------------


def test_topics_that_come_and_go_are_followed(whale):
    arctic = make_topic("Arctic")
    whale.topics.add(arctic)
    assert found("arctic") == found("topic:arctic") == ["Whale"]
    whale.topics.remove(arctic)
    assert found("arctic") == []
    ArticleTopic.objects.update(tag=arctic)
    assert found("arctic") == ["Whale"]
    assert found("oceans") == []
    whale.topics.clear()
    assert found("arctic") == []


def test_renamed_topic_is_followed_however_it_was_renamed(whale):
    topic = Topic.objects.get()
    topic.name = "Seas"
    topic.save()
    assert found("seas") == ["Whale"]
    assert found("oceans") == []
    Topic.objects.update(name="Lakes", shortname="Meres")
    assert found("lakes") == found("meres") == ["Whale"]
    assert found("seas") == []
    Topic.objects.get().save()


def test_deleted_topic_is_followed(whale):
    Topic.objects.all().delete()
    assert found("oceans") == []
    assert found("whale") == ["Whale"]


def test_renamed_provider_is_followed_however_it_was_renamed(whale):
    provider = whale.provider
    provider.other_names = ["The Quay"]
    provider.save(update_fields=["other_names"])
    assert found("quay") == ["Whale"]
    Provider.objects.update(name="Gazette")
    assert found("gazette") == ["Whale"]
    assert found("harbour") == []
    Provider.objects.get().save()


def test_name_that_changes_its_signs_alone_keeps_its_words(whale):
    provider = whale.provider
    provider.name = "東京・Harbour Post!"
    provider.save()
    provider.name = "東京 Harbour Post"
    provider.save()
    assert found("東京 harbour") == ["Whale"]


# --- Imports, the admin, fixtures -------------------------------------------------------------------


def write(folder, name: str, title: str, *topics: str, outlet: str = "Outlet") -> None:
    lines = "\n".join(f"  - {topic}" for topic in topics)
    folder.joinpath("_news").mkdir(exist_ok=True)
    (folder / "_news" / f"{name}.md").write_text(FILE.format(title=title, name=name, topics=lines, outlet=outlet))


def test_import_is_followed_through_all_it_does(tmp_path):
    write(tmp_path, "2026-03-02-one", "First whale", "Oceans", "Music")
    write(tmp_path, "2026-03-02-two", "Second whale", "Oceans")
    import_paths([tmp_path], Options())
    assert found("whale outlet topic:oceans") == ["First whale", "Second whale"]
    assert found("topic:music") == ["First whale"]
    write(tmp_path, "2026-03-02-one", "First kraken", "Arctic")
    import_paths([tmp_path], Options())
    assert found("first") == found("kraken arctic") == ["First kraken"]
    assert found("music") == []
    assert found("topic:oceans") == ["Second whale"]


def test_stories_of_an_import_are_indexed_once_each(tmp_path, monkeypatch):
    """Their topics are there before them, or each would make the row anew."""
    write(tmp_path, "2026-03-02-one", "First whale", *(f"Topic {number}" for number in range(5)))
    order = []
    from articles.importing import creating

    insert, insert_topics = creating.insert, creating.PARTS["topics"]
    monkeypatch.setattr(
        creating, "insert", lambda model, *args, **kw: (order.append(model.__name__), insert(model, *args, **kw))[1]
    )
    monkeypatch.setitem(creating.PARTS, "topics", lambda *args: (order.append("topics"), insert_topics(*args))[1])
    import_paths([tmp_path], Options())
    assert order.index("topics") < order.index("Article")


def test_rows_that_are_inserted_together_are_indexed_together():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's triggers are called for each row")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT action_orientation FROM information_schema.triggers WHERE starts_with(trigger_name, %s)"
            " AND event_object_table IN (%s, %s) AND action_timing = 'AFTER' AND event_manipulation = 'INSERT'",
            ["copydesk_search", Article._meta.db_table, ArticleTopic._meta.db_table],
        )
        assert cursor.fetchall() == [("STATEMENT",)] * 2


def test_settled_conflict_is_followed(whale, editor):
    source = make_conflict(whale, "title", theirs="Zeppelin").source
    settle(source, {dispute.name: dispute.digest for dispute in disputes(source)}, take=True, by=editor)
    assert found("zeppelin") == ["Zeppelin"]


@pytest.mark.usefixtures("logged_in")
def test_story_saved_in_the_admin_is_followed(client, whale):
    address = reverse("admin:articles_article_change", args=[whale.pk])
    data = filled(client.get(address)) | {"title": ["Kraken"], "topics": [str(make_topic("Arctic").pk)]}
    assert client.post(address, data).status_code == 302
    assert found("kraken arctic") == ["Kraken"]
    assert found("whale") == found("oceans") == []


def test_fixture_is_followed_in_any_order(whale):
    records = [*Article.objects.all(), *ArticleTopic.objects.all(), *Topic.objects.all(), *Provider.objects.all()]
    text = serializers.serialize("json", records)
    Article.objects.all().delete()
    Topic.objects.all().delete()
    Provider.objects.all().delete()
    for each in serializers.deserialize("json", json.dumps(json.loads(text))):
        each.save()
    assert found("whale song harbour oceans topic:oceans") == ["Whale"]


# --- The index itself -------------------------------------------------------------------------------


def test_index_that_was_tampered_with_is_mended(whale):
    make_article(title="Kraken")
    version = SiteVersion.objects.get().token
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {index.TABLE}")
        key = "article_id, document" if connection.vendor == "postgresql" else "rowid, title"
        cursor.execute(f"INSERT INTO {index.TABLE} ({key}) VALUES (424242, 'stray')")
    Topic.objects.update(search_text="rubbish")
    out = io.StringIO()
    call_command("rebuild_search", stdout=out)
    assert out.getvalue() == "indexed=2\n"
    assert found("whale oceans") == ["Whale"]
    assert len(rows()) == 2
    assert SiteVersion.objects.get().token != version


def test_index_of_another_make_is_made_anew(whale):
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {index.TABLE}")
        cursor.execute(f"CREATE TABLE {index.TABLE} (something integer)")
    triggers.install()
    assert found("whale") == ["Whale"]


def test_index_is_kept_when_triggers_are_installed_again(whale, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(index, "rebuild", lambda: pytest.fail("needlessly"))
        triggers.install()
    assert found("whale") == ["Whale"]
