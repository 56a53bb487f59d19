"""A site moves to another database with Django's own commands, as docs/operations.md says."""

import re
import shlex
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.db import connection

from articles import workflow
from articles.models import Article, OldAddress, TopicListing
from articles.triggers import index
from tests.factories import (
    add_picture,
    make_article,
    make_image,
    make_provider,
    make_related,
    make_source,
    make_topic,
    make_user,
)

pytestmark = pytest.mark.django_db(transaction=True)


def documented(command: str) -> list[str]:
    """Its arguments in the docs."""
    text = (Path(settings.BASE_DIR) / "docs" / "operations.md").read_text()
    (line,) = re.findall(rf"manage\.py ({command} .+)", text)
    return shlex.split(line)


def move(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    call_command(*documented("dumpdata"), verbosity=0)
    call_command("flush", interactive=False, verbosity=0)
    assert not Article.objects.exists()
    call_command(*documented("loaddata"), verbosity=0)


def site() -> dict[str, list[tuple]]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"SELECT article_id, document::text FROM {index.TABLE}")
        else:
            cursor.execute(f"SELECT rowid, title, excerpt, provider, topics, keys FROM {index.TABLE}")
        indexed = [tuple(sorted(str(value).split()) for value in row) for row in cursor.fetchall()]
    return {
        "stories": sorted(Article.objects.values_list("pk", "title", "stem", "status", "search_text")),
        "listings": sorted(TopicListing.objects.values_list("topic", "article", "published_at")),
        "index": sorted(indexed),
        "old addresses": sorted(OldAddress.objects.values_list("kind", "name", "article", "topic", "provider")),
        "rights": sorted(Group.objects.values_list("name", "permissions__codename")),
        "editors": sorted(User.objects.values_list("username", "groups__name")),
    }


def rename(record, column: str) -> None:
    setattr(record, column, f"new-{getattr(record, column)}")
    record.save()


def test_site_that_was_written_to_a_file_and_read_again_is_the_same(client, tmp_path, monkeypatch):
    science = make_topic("Science", slug="science")
    desk = make_user()
    desk.groups.add(night := Group.objects.create(name="Night desk"))
    night.permissions.add(Permission.objects.get(codename="publish_article"))
    oceans, provider = make_topic("Oceans", slug="oceans", parent=science), make_provider(domain="a.example")
    workflow.unpublish(make_article(title="Kraken", topics=[oceans]), by=desk)
    story = make_article(stem="whale", title="Whale", topics=[oceans, make_topic("Film")], provider=provider)
    make_article(stem="draft", public=False, topics=[science])
    make_source(story)
    add_picture(story)
    make_related(story, provider=provider).pictures.create(image=make_image())
    for record, column in ((story, "stem"), (oceans, "slug"), (provider, "domain")):
        rename(record, column)
    make_article(stem="whale", public=False)
    before = site()
    assert all(before.values())

    move(tmp_path, monkeypatch)

    assert site() == before
    assert client.get("/topics/oceans/")["Location"] == "/topics/new-oceans/"
    assert "Whale" in client.get("/topics/science/").text
