"""The index is exact when names and stories change at the same time, and nobody waits for another in a circle."""

import time
from collections.abc import Callable
from threading import Thread

import pytest
from django.db import connection, transaction

from articles.importing import Options, import_paths
from articles.models import Article, ArticleTopic, Topic
from articles.search import search
from articles.triggers import index
from providers.models import Provider
from tests.articles.test_search_index import rows
from tests.factories import make_article, make_provider, make_topic

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 15


@pytest.fixture(autouse=True)
def exact():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets only one write")
    yield
    kept = rows()
    index.rebuild()
    assert kept == rows()


class Elsewhere(Thread):
    """Does something over another connection."""

    def __init__(self, task: Callable[[], object]) -> None:
        super().__init__()
        self.task = task
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self.task()
        except Exception as error:  # noqa: BLE001
            self.error = error
        finally:
            connection.close()

    def wait_until_done_or_waiting(self) -> None:
        while self.is_alive() and not _somebody_waits():
            time.sleep(0.01)


def _somebody_waits() -> bool:
    """For this connection: other tests have locks too."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
        )
        return cursor.fetchone()[0]


def _of(model, name: str):
    return model.objects.get(name=name)


def change_provider() -> None:
    Article.objects.filter(title="Whale").update(provider=_of(Provider, "Harbour Post"))


def add_topic() -> None:
    story = Article.objects.get(title="Whale")
    ArticleTopic.objects.create(content_object=story, tag=_of(Topic, "Oceans"), position=0)


def create() -> None:
    values = {"web_url": "https://x.example/", "published_at": Article.objects.get().published_at}
    Article.objects.bulk_create([Article(title="New", stem="new", provider=_of(Provider, "Harbour Post"), **values)])
    Article.objects.get(title="New").set_topics([_of(Topic, "Oceans")])


def rename_provider() -> None:
    Provider.objects.filter(name="Harbour Post").update(name="Gazette")


def rename_topic() -> None:
    Topic.objects.filter(name="Oceans").update(name="Seas")


@pytest.mark.parametrize("renamed_first", [False, True])
@pytest.mark.parametrize(
    ("change", "rename", "name"),
    [
        (change_provider, rename_provider, "gazette"),
        (add_topic, rename_topic, "seas"),
        (create, rename_provider, "gazette"),
        (create, rename_topic, "seas"),
    ],
)
def test_story_has_the_new_name_of_what_it_got_meanwhile(change, rename, name, renamed_first):
    make_provider(name="Harbour Post")
    make_topic("Oceans")
    make_article(title="Whale")
    first, second = (rename, change) if renamed_first else (change, rename)
    other = Elsewhere(transaction.atomic(second))
    with transaction.atomic():
        first()
        other.start()
        other.wait_until_done_or_waiting()
    other.join()
    assert other.error is None
    assert search(Article.objects.all(), name).exists()


def test_nobody_waits_in_a_circle():
    topics = [make_topic(f"Topic {number}") for number in range(4)]
    providers = [make_provider(name=f"Outlet {number}") for number in range(3)]
    stories = [make_article(topics=topics, provider=providers[0]) for _ in range(4)]

    def rename(record) -> Callable[[], None]:
        def task() -> None:
            type(record).objects.filter(pk=record.pk).update(name=f"Name {time.monotonic_ns()}")

        return task

    def change(own: list[Article]) -> Callable[[], None]:
        def task() -> None:
            for story in own:
                Article.objects.filter(pk=story.pk).update(title=f"Title {time.monotonic_ns()}")
            for number, story in enumerate(own):
                story.set_topics([topics[number], *reversed(topics[2:])])
                story.set_topics(topics)
                Article.objects.filter(pk=story.pk).update(provider=providers[time.monotonic_ns() % 3])

        return task

    tasks = [*map(rename, [*topics[:2], *providers[:1]]), change(stories[:2]), change(stories[:1:-1])]
    for _ in range(ROUNDS):
        others = [Elsewhere(transaction.atomic(task)) for task in tasks]
        for other in others:
            other.start()
        for other in others:
            other.join()
        assert [other.error for other in others] == [None] * len(others)


def test_import_holds_what_it_renames_in_the_order_of_the_keys(tmp_path):
    def write(name: str, shortname: str) -> None:
        text = f"---\ntaxonomy: topic\nname: {name}\nshortname: {shortname}\n---\n"
        (tmp_path / "_data" / f"{name}.md").write_text(text)

    (tmp_path / "_data").mkdir()
    for name in ("b", "a"):  # files are stored in the order of their names
        write(name, "old")
        import_paths([tmp_path], Options())
    write("a", "new")
    write("b", "new")
    first, second = Topic.objects.order_by("pk")
    other = Elsewhere(lambda: import_paths([tmp_path], Options()))
    locked = Topic.objects.select_for_update(nowait=True)
    with transaction.atomic():
        locked.get(pk=first.pk)
        other.start()
        other.wait_until_done_or_waiting()
        locked.get(pk=second.pk)
    other.join()
    assert other.error is None
    assert [topic.shortname for topic in Topic.objects.all()] == ["new", "new"]
