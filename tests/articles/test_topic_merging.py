"""Two topics that were meant as one, made one."""

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from articles import public, retopic
from articles.documents import to_data
from articles.models import (
    Article,
    Conflict,
    Event,
    OldAddress,
    Revision,
    SourceFile,
    Topic,
    TopicAlias,
    TopicImage,
    WorkingCopy,
)
from articles.records import article_document, with_parts
from tests.articles.pages import filled, messages
from tests.factories import make_article, make_image, make_source, make_topic, make_user

pytestmark = pytest.mark.django_db
MERGE = reverse("admin:articles_topic_merge")
STORY = """---
category: news
title: {title}
publishedDateTime: 2026-03-02T12:00:00Z
webUrl: https://outlet.example/{stem}
type: article
published: true
topics:
  - {topic}
---
"""


@pytest.fixture
def manager(client):
    manager = make_user("Managers", username="max")
    client.force_login(manager)
    return manager


def topics_of(article) -> list[str]:
    return [topic.name for topic in Article.objects.get(pk=article.pk).topics.all()]


def import_tree(folder) -> None:
    call_command("import_frontmatter", str(folder), verbosity=0)


def tree(tmp_path, **files: str):
    """A folder with these stories (stem to topic)."""
    news = tmp_path / "_news"
    news.mkdir(exist_ok=True)
    for stem, topic in files.items():
        (news / f"2026-03-02-{stem}.md").write_text(STORY.format(title=stem, stem=stem, topic=topic))
    return tmp_path


# --- What becomes of its parts ------------------------------------------------------------------


def test_stories_get_the_target_at_the_same_place_and_once(manager):
    old, new, other = make_topic("AI"), make_topic("Artificial intelligence"), make_topic("Robots")
    cases = {
        (old,): ["Artificial intelligence"],
        (other, old): ["Robots", "Artificial intelligence"],
        (old, other, new): ["Artificial intelligence", "Robots"],
        (new, other, old): ["Artificial intelligence", "Robots"],
        (other,): ["Robots"],
    }
    stories = [(make_article(topics=topics), names) for topics, names in cases.items()]
    retopic.merge_topics([old], new, by=manager)
    assert [topics_of(story) for story, _ in stories] == [names for _, names in stories]
    assert not Topic.objects.filter(name="AI").exists()


def test_each_story_keeps_how_it_was_and_tells_of_the_merge_under_one_batch(manager):
    old, new = make_topic("AI"), make_topic("Artificial intelligence")
    public_one, draft, untouched = make_article(topics=[old]), make_article(topics=[old], public=False), make_article()
    batch = retopic.merge_topics([old], new, by=manager)
    for story in (public_one, draft):
        assert Article.objects.get(pk=story.pk).version == story.version + 1
        now, before = Revision.objects.filter(article=story)
        assert (before.document["topics"], now.document["topics"]) == (["AI"], ["Artificial intelligence"])
        assert now.author == manager
        event = story.events.get()
        assert (event.verb, event.actor, event.batch) == ("merge_topic", manager, batch)
        assert event.data["version"] == story.version + 1
        assert event.note == "“AI” was merged into “Artificial intelligence”."
    assert not untouched.events.exists()
    assert Article.objects.get(pk=untouched.pk).version == untouched.version


def test_page_of_the_target_lists_the_stories_and_those_below(manager):
    old, new = make_topic("AI"), make_topic("Artificial intelligence")
    story, below = make_article(topics=[old]), make_article(topics=[make_topic("Chips", parent=old)])
    retopic.merge_topics([old], new, by=manager)
    assert set(public.newest_in(new.pk, 10)) == {story.pk, below.pk}


def test_topics_below_go_below_the_target_which_may_be_one_of_them(manager):
    above = make_topic("Science")
    old = make_topic("AI", parent=above)
    middle = make_topic("Models", parent=old)
    target, other = make_topic("Language models", parent=middle), make_topic("Chips", parent=old)
    retopic.merge_topics([old], target, by=manager)
    parents = dict(Topic.objects.values_list("name", "parent__name"))
    assert parents == {
        "Science": None,
        "Language models": "Science",
        "Models": "Language models",
        "Chips": "Language models",
    }
    assert [topic.name for topic in Topic.objects.get(pk=other.pk).line()] == ["Chips", "Language models", "Science"]


def test_names_keywords_and_hashtags_go_over_where_they_are_not_there_yet(manager):
    old = make_topic("AI", shortname="A.I.", keywords=["robots", "Chips", "deep learning"], hashtags=["#ai", "#ML"])
    new = make_topic(
        "Artificial intelligence", shortname="Intelligence", keywords=["chips"], hashtags=["#ml"], description="Ours"
    )
    retopic.merge_topics([old], new, by=manager)
    new.refresh_from_db()
    assert new.keywords == ["chips", "AI", "A.I.", "robots", "deep learning"]
    assert new.hashtags == ["#ml", "#ai"]
    assert (new.shortname, new.description) == ("Intelligence", "Ours")


def test_what_the_target_does_not_say_it_takes_over(manager):
    old = make_topic("AI", shortname="A.I.", description="Machines", extra={"color": "red"}, source_id="ai")
    new = make_topic("Artificial intelligence")
    retopic.merge_topics([old], new, by=manager)
    new.refresh_from_db()
    assert (new.shortname, new.description, new.extra, new.source_id) == ("A.I.", "Machines", {"color": "red"}, "ai")


def test_pictures_go_over_once(manager):
    old, new = make_topic("AI"), make_topic("Artificial intelligence")
    both, only_old = make_image(), make_image()
    TopicImage.objects.create(topic=new, image=both)
    TopicImage.objects.create(topic=old, image=both, position=0)
    TopicImage.objects.create(topic=old, image=only_old, position=1)
    retopic.merge_topics([old], new, by=manager)
    assert list(new.pictures.values_list("image", flat=True)) == [both.pk, only_old.pk]


def test_addresses_that_the_topic_ever_had_lead_to_the_target(client, manager):
    first, second, third = make_topic("AI"), make_topic("Machine minds"), make_topic("Artificial intelligence")
    make_article(topics=[third])
    Topic.objects.filter(pk=first.pk).update(slug="a-i")
    retopic.merge_topics([Topic.objects.get(pk=first.pk)], second, by=manager)
    retopic.merge_topics([second], third, by=manager)
    for slug in ("ai", "a-i", "machine-minds"):
        response = client.get(reverse("topic", args=[slug]))
        assert (response.status_code, response["Location"]) == (301, third.get_absolute_url())
    assert OldAddress.objects.filter(topic=third).count() == 3


def test_changes_that_are_not_live_yet_name_the_target(manager):
    old, new = make_topic("AI"), make_topic("Artificial intelligence")
    story = make_article(topics=[old])
    document = to_data(article_document(with_parts(Article.objects.filter(pk=story.pk)).get()))
    changed = document | {"topics": ["New here", "ai", "Artificial intelligence"]}
    copy = WorkingCopy.objects.create(article=story, base=document, base_version=1, document=changed)
    retopic.merge_topics([old], new, by=manager)
    copy.refresh_from_db()
    assert copy.base["topics"] == ["Artificial intelligence"]
    assert copy.document["topics"] == ["New here", "Artificial intelligence"]


def test_many_are_merged_in_as_many_queries_as_one(manager):
    def asked(stories: int) -> int:
        old, new = make_topic(), make_topic()
        for _ in range(stories):
            make_article(topics=[old])
        with CaptureQueriesContext(connection) as captured:
            retopic.merge_topics([old], new, by=manager)
        return len(captured)

    asked(1)  # what a process knows from then on
    assert asked(2) == asked(12)


def test_a_merge_of_more_than_anybody_waits_for_is_refused_and_changes_nothing(manager, monkeypatch):
    monkeypatch.setattr(retopic, "MOST_STORIES", 1)
    small, large = make_topic("Small"), make_topic("Large")
    for topic in (small, large, large):
        make_article(topics=[topic])
    target = make_topic("Target")
    with pytest.raises(retopic.MergeError, match="Merge the other into this one instead"):
        retopic.merge_topics([small, large], target, by=manager)
    assert Topic.objects.count() == 3
    assert not Event.objects.exists()


def test_a_topic_is_not_merged_into_itself_nor_by_just_anybody(manager):
    topic = make_topic()
    with pytest.raises(retopic.MergeError):
        retopic.merge_topics([topic], topic, by=manager)
    for group in ("Editors", "Contributors", ""):
        with pytest.raises(PermissionDenied):
            retopic.merge_topics([topic], make_topic(), by=make_user(group))
    assert Topic.objects.filter(pk=topic.pk).exists()


# --- Imports ------------------------------------------------------------------------------------


def test_no_import_undoes_a_merge(manager, tmp_path):
    import_tree(tree(tmp_path, tram="AI", comet="Space"))
    old, new = Topic.objects.get(name="AI"), make_topic("Artificial intelligence")
    retopic.merge_topics([old], new, by=manager)
    import_tree(tree(tmp_path, tram="AI", whale="ai"))  # the same story again, and a new one
    for stem in ("tram", "whale"):
        assert topics_of(Article.objects.get(stem=f"2026-03-02-{stem}")) == ["Artificial intelligence"]
    assert set(Topic.objects.values_list("name", flat=True)) == {"Artificial intelligence", "Space"}
    assert not Conflict.objects.exists()


def test_who_has_a_name_goes_before_who_had_it(manager, tmp_path):
    old, new = make_topic("AI"), make_topic("Artificial intelligence")
    retopic.merge_topics([old], new, by=manager)
    make_topic("AI")
    import_tree(tree(tmp_path, whale="AI"))
    assert topics_of(Article.objects.get()) == ["AI"]


def test_topic_renamed_in_the_admin_is_found_by_its_old_name(client, manager, tmp_path):
    topic = make_topic("AI")
    address = reverse("admin:articles_topic_change", args=[topic.pk])
    client.post(address, filled(client.get(address), "topic_form") | {"name": "Machine minds", "_save": "Save"})
    import_tree(tree(tmp_path, whale="AI"))
    assert topics_of(Article.objects.get()) == ["Machine minds"]
    assert ">AI<" in client.get(address).text
    client.post(address, filled(client.get(address), "topic_form") | {"name": "MACHINE minds", "_save": "Save"})
    assert TopicAlias.objects.count() == 1  # only the case is another


def topic_file(tmp_path, name: str, **more: str) -> None:
    folder = tmp_path / "_data" / "topics"
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(
        f"{key}: {value}\n" for key, value in {"taxonomy": "topic", "_id": name.lower(), "name": name}.items()
    )
    lines += "".join(f"{key}: {value}\n" for key, value in more.items())
    (folder / f"{name.lower()}.yaml").write_text(lines)


def test_file_of_the_merged_topic_describes_the_target_if_none_does(manager, tmp_path):
    topic_file(tmp_path, "AI", description="Machines")
    import_tree(tmp_path)
    old, new = Topic.objects.get(), make_topic("Artificial intelligence")
    retopic.merge_topics([old], new, by=manager)
    assert SourceFile.objects.get().topic == new
    topic_file(tmp_path, "AI", description="Thinking machines")
    import_tree(tmp_path)
    topic = Topic.objects.get()
    assert (topic.name, topic.description) == ("Artificial intelligence", "Thinking machines")
    out = tmp_path / "out"
    call_command("export_frontmatter", str(out), verbosity=0)
    [file] = out.rglob("ai.yaml")
    assert "name: Artificial intelligence" in file.read_text()


def test_file_of_the_merged_topic_is_told_and_passed_over_if_the_target_has_one(manager, tmp_path, capsys):
    topic_file(tmp_path, "AI")
    topic_file(tmp_path, "Minds")
    import_tree(tmp_path)
    retopic.merge_topics([Topic.objects.get(name="AI")], Topic.objects.get(name="Minds"), by=manager)
    capsys.readouterr()
    topic_file(tmp_path, "AI", description="News")
    call_command("import_frontmatter", str(tmp_path))
    said = capsys.readouterr()
    assert "kept=1" in said.out
    assert "AI is Minds here" in said.out + said.err
    assert Topic.objects.get().name == "Minds"


# --- In the admin -------------------------------------------------------------------------------


def test_manager_merges_from_the_topics_form_by_name(client, manager):
    old, new = make_topic("AI"), make_topic("Artificial intelligence")
    make_article(topics=[old])
    make_article(topics=[old, new], public=False)
    make_topic("Chips", parent=old)
    form = client.get(reverse("admin:articles_topic_change", args=[old.pk])).text
    assert f'href="{MERGE}?keys={old.pk}"' in form
    assert "One of these?" in client.get(f"{MERGE}?keys={old.pk}&q=artif").text
    assert "or anything like it" in client.get(f"{MERGE}?keys={old.pk}&q=zzz").text
    page = client.get(f"{MERGE}?keys={old.pk}&q=artificial  INTELLIGENCE")
    assert page.context["concerned"] == [
        (old, retopic.Concerned(stories=2, shared=1, public=1, children=1, pictures=0))
    ]
    assert Topic.objects.filter(pk=old.pk).exists()
    response = client.post(f"{MERGE}?keys={old.pk}&into={new.pk}", follow=True)
    assert messages(response) == ["“AI” was merged into “Artificial intelligence”: 2 stories."]
    assert response.redirect_chain[-1][0] == reverse("admin:articles_topic_change", args=[new.pk])
    assert client.post(f"{MERGE}?keys={old.pk}&into={new.pk}").status_code == 404


def test_manager_merges_several_from_the_list(client, manager):
    topics = [make_topic(name) for name in ("AI", "A.I.", "Artificial intelligence")]
    for topic in topics:
        make_article(topics=[topic])
    data = {"action": "merge_selected", "_selected_action": [topic.pk for topic in topics[:2]]}
    response = client.post(reverse("admin:articles_topic_changelist"), data)
    client.post(f"{response['Location']}&into={topics[2].pk}")
    assert Topic.objects.get() == topics[2]
    assert {tuple(topics_of(story)) for story in Article.objects.all()} == {("Artificial intelligence",)}


def test_topic_is_not_merged_into_one_of_the_chosen(client, manager):
    first, second = make_topic(), make_topic()
    response = client.post(f"{MERGE}?keys={first.pk},{second.pk}&into={second.pk}")
    assert "cannot be merged into itself" in response.text
    assert Topic.objects.count() == 2


@pytest.mark.parametrize("query", ["", "?keys=", "?keys=999", "?keys=x,%00", "?keys=" + "9" * 30])
def test_merging_nothing_is_404(client, manager, query):
    assert client.get(MERGE + query).status_code == 404


@pytest.mark.parametrize("role", ["anonymous", "", "Contributors", "Editors"])
def test_nobody_else_merges(client, role):
    old, new = make_topic("AI"), make_topic("Artificial intelligence")
    if role != "anonymous":
        client.force_login(make_user(role))
    expected = 302 if role == "anonymous" else 403
    for ask in (client.get, client.post):
        response = ask(f"{MERGE}?keys={old.pk}&into={new.pk}")
        assert response.status_code == expected
        assert "Artificial" not in response.text
    data = {"action": "merge_selected", "_selected_action": [old.pk]}
    assert MERGE not in client.post(reverse("admin:articles_topic_changelist"), data).headers.get("Location", "")
    assert Topic.objects.count() == 2


def test_merge_has_a_page_which_offers_no_undo(client, manager):
    old, new = make_topic("AI"), make_topic("Artificial intelligence")
    story = make_article(topics=[old])
    batch = retopic.merge_topics([old], new, by=manager)
    page = client.get(reverse("admin:desk_batch", args=[batch]))
    assert "Topic merged: 1 story" in page.text
    assert reverse("admin:desk_undo") not in page.text
    client.post(reverse("admin:desk_undo"), {"batch": str(batch)})
    assert topics_of(story) == ["Artificial intelligence"]
    assert "merged into" in client.get(reverse("admin:articles_article_history", args=[story.pk])).text


# --- Deleting -----------------------------------------------------------------------------------


def full_article() -> Article:
    """With all that may hang on a story."""
    story = make_article(topics=[make_topic("AI")])
    make_source(story)
    Event.objects.create(article=story, verb="import")
    Revision.objects.create(article=story, version=1, document={})
    WorkingCopy.objects.create(article=story, base={}, base_version=1, document={})
    story.preview_links.create(expires_at=story.published_at)
    return story


@pytest.mark.parametrize(("role", "may"), [("Managers", True), ("Editors", False), ("Contributors", False)])
def test_who_deletes_stories_and_topics(client, role, may):
    client.force_login(make_user(role))
    story, topic = full_article(), make_topic("Minds")
    make_source(topic)
    for record, name in ((story, "article"), (topic, "topic")):
        address = reverse(f"admin:articles_{name}_delete", args=[record.pk])
        assert client.post(address, {"post": "yes"}).status_code == (302 if may else 403)
        assert type(record).objects.filter(pk=record.pk).exists() == (not may)
    assert SourceFile.objects.exists() == (not may)


def test_deleted_story_comes_back_with_its_file(client, manager, tmp_path):
    import_tree(tree(tmp_path, tram="AI"))
    story = Article.objects.get()
    client.post(reverse("admin:articles_article_delete", args=[story.pk]), {"post": "yes"})
    assert not Article.objects.exists()
    import_tree(tmp_path)
    assert Article.objects.get().stem == story.stem
