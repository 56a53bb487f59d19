"""Records for tests: valid by default, explicit about what the test is about, nothing random.

Each `make_…` stores one record. Names that have to be unique are numbered in the order of creation.
"""

import io
import itertools
from datetime import UTC, datetime

from django.contrib.auth.models import Group, User
from PIL import Image

from articles.models import (
    Article,
    ArticleImage,
    Conflict,
    ImportedFile,
    ImportRun,
    RelatedStory,
    SourceFile,
    Topic,
)
from images import caching
from images.models import RemoteImage
from providers.models import Provider

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_numbers = itertools.count(1)


def make_provider(**overrides) -> Provider:
    number = next(_numbers)
    return Provider.objects.create(**{"domain": f"outlet{number}.example", "name": f"Outlet {number}"} | overrides)


def make_topic(name: str = "", **overrides) -> Topic:
    return Topic.objects.create(name=name or f"Topic {next(_numbers)}", **overrides)


def make_article(*, topics=(), public: bool = True, **overrides) -> Article:
    """A published article with a provider; `public=False` makes it a draft."""
    number = next(_numbers)
    state = {"status": Article.Status.PUBLISHED, "publish_at": NOON} if public else {}
    values = {
        "stem": f"2026-03-02-story-{number}",
        "title": f"Story {number}",
        "excerpt": f"What happened in story {number}.",
        "web_url": f"https://outlet.example/{number}",
        "published_at": NOON,
    }
    article = Article(**values | state | overrides)
    if "provider" not in overrides:
        article.provider = make_provider()
    article.save()
    article.set_topics(topics)
    return article


def make_related(article: Article, **overrides) -> RelatedStory:
    number = next(_numbers)
    values = {
        "title": f"Related {number}",
        "web_url": f"https://other.example/{number}",
        "published_at": NOON,
    }
    return RelatedStory.objects.create(article=article, **values | overrides)


def make_image(*, cached: bool = True, size: tuple[int, int] = (400, 300), **overrides) -> RemoteImage:
    number = next(_numbers)
    image = RemoteImage.objects.create(**{"source_url": f"https://pictures.example/{number}.png"} | overrides)
    if cached:
        caching.store(image, png(size, shade=number % 256))
    return image


def add_picture(article: Article, image: RemoteImage | None = None, **overrides) -> ArticleImage:
    return ArticleImage.objects.create(
        article=article, image=image or make_image(), position=article.pictures.count(), **overrides
    )


def make_source(record: Article | Provider | Topic, **overrides) -> SourceFile:
    """The file that a record was imported from; its text is no part of it."""
    values = {"path": f"_data/{next(_numbers)}.md", "text": "", "digest": "", "imported_at": NOON}
    return SourceFile.objects.create(**{record._meta.model_name: record}, **values | overrides)


def make_conflict(record: Article | Provider | Topic, field: str = "title", **overrides) -> Conflict:
    """What the record's source said of the field before, and says now; the record's own value is ours."""
    source = SourceFile.objects.filter(**{record._meta.model_name: record}).first() or make_source(record)
    values = {"base": "What both said", "theirs": "What the source says"}
    return Conflict.objects.create(source=source, field=field, **values | overrides)


def make_run(*files: dict, **overrides) -> ImportRun:
    """An import that is done; `files` are the values of what it tells of single files."""
    values = {"what": "/srv/site", "state": ImportRun.State.DONE, "began_at": NOON, "ended_at": NOON}
    run = ImportRun.objects.create(**values | overrides)
    ImportedFile.objects.bulk_create(
        ImportedFile(run=run, **{"path": f"_news/{number}.md", "outcome": "created"} | file)
        for number, file in enumerate(files)
    )
    return run


def png(size: tuple[int, int] = (400, 300), shade: int = 120) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (shade, 80, 160)).save(buffer, "PNG")
    return buffer.getvalue()


def make_user(group: str = "", **overrides) -> User:
    """A staff user in `group` ("Managers", "Editors", "Contributors"); no group: staff with no rights at all."""
    values = {"username": f"user{next(_numbers)}", "is_staff": True} | overrides
    user = User.objects.create_user(password="correct horse battery", **values)
    if group:
        user.groups.add(Group.objects.get(name=group))
    return user
