"""Changes to a published story that are not live yet: kept, edited, compared, put live, discarded."""

import json

import pytest
from django.urls import reverse

from articles.models import Article, SiteVersion, Topic, WorkingCopy
from articles.retopic import merge_topics
from articles.working import document_of
from images.models import RemoteImage
from providers.models import Provider
from providers.takedown import take_down_pictures
from tests.articles.pages import filled, messages
from tests.articles.test_two_editors import Editor, Source, disputed, document, picture_rows
from tests.factories import add_picture, make_article, make_image, make_provider, make_related, make_topic, make_user

pytestmark = pytest.mark.django_db
KEEP = {"_keep": "Keep as unpublished changes"}


@pytest.fixture
def ana() -> Editor:
    return Editor("ana")


@pytest.fixture
def ben() -> Editor:
    return Editor("ben")


def address(article, page: str = "change", query: str = "") -> str:
    return reverse(f"admin:articles_article_{page}", args=[article.pk]) + query


def keep(editor: Editor, article, **changes):
    return editor.save(article, **changes, **KEEP)


def form_of_changes(editor: Editor, article) -> dict[str, list[str]]:
    return filled(editor.client.get(address(article, query="?changes=1")))


def send_changes(editor: Editor, article, data, **changes):
    button = {} if "_live" in changes else KEEP
    return editor.client.post(address(article, query="?changes=1"), data | changes | button, follow=True)


def put_live(editor: Editor, article, version: int | None = None):
    version = version or WorkingCopy.objects.get(article=article).version
    return editor.client.post(address(article, "put_live"), {"changes-version": version}, follow=True)


def fresh(article) -> Article:
    return Article.objects.get(pk=article.pk)


def state(article) -> tuple:
    """All that readers, feeds and exports could see of it, and what other editors' forms go by."""
    row = Article.objects.filter(pk=article.pk).values().get()
    return row, document(article), article.revisions.count(), SiteVersion.objects.values_list("token").get()


# --- Keeping ------------------------------------------------------------------------------------


def test_keeping_changes_nothing_of_the_live_story(ana):
    article = make_article(title="Old", topics=[make_topic("Coast")], secured="c2VhbGVk;aXY=")
    add_picture(article, alt="A pier", width=640)
    make_related(article)
    before = state(article)
    rows = picture_rows({"address": "https://pictures.example/new.png", "alt": "New"}, first=1)
    told = messages(keep(ana, article, title="New", topics=[], **rows, **{"verb-note": "For Monday"}))
    assert told == ["Kept as unpublished changes: title, topics, pictures. Nothing of the story itself has changed."]
    assert state(article) == before
    copy = WorkingCopy.objects.get()
    assert (copy.author, copy.version, copy.base_version, copy.note) == (ana.user, 1, 1, "For Monday")
    kept = document_of(copy)
    assert (kept.title, kept.topics, [image.alt for image in kept.images]) == ("New", (), ["A pier", "New"])
    assert (kept.images[0].width, kept.related) == (640, before[1].related)
    assert "c2VhbGVk" not in json.dumps([copy.base, copy.document])
    event = article.events.get()
    assert (event.verb, event.actor, event.note) == ("keep_changes", ana.user, "For Monday")
    assert event.data == {"fields": ["title", "topics", "images"]}


def test_picture_of_kept_changes_is_fetched_meanwhile(ana):
    article = make_article()
    keep(ana, article, **picture_rows({"address": "https://pictures.example/new.png"}))
    image = RemoteImage.objects.get(source_url="https://pictures.example/new.png")
    assert (image.state, image.urgent) == (RemoteImage.State.PENDING, True)


def test_button_is_on_the_form_of_a_published_story_alone(ana):
    live, draft = make_article(), make_article(public=False)
    assert "_keep" in ana.client.get(address(live)).text
    assert "_keep" not in ana.client.get(address(draft)).text


def test_form_with_errors_keeps_nothing_and_saves_nothing(ana):
    article = make_article(title="Old")
    page = keep(ana, article, title="New", web_url="nonsense")
    assert page.status_code == 200
    assert filled(page)["title"] == ["New"]
    assert not WorkingCopy.objects.exists()
    assert fresh(article).title == "Old"


def test_value_that_could_not_be_read_again_is_an_error_and_saves_nothing(ana):
    article = make_article(title="Old")
    page = keep(ana, article, title="New", quality=str(2**40))
    assert page.status_code == 200
    assert page.context["errors"]
    assert not WorkingCopy.objects.exists()
    assert fresh(article).title == "Old"


def test_form_of_the_story_says_that_there_are_changes_and_stays_the_storys(ana, ben):
    article = make_article(title="Old")
    keep(ana, article, title="New")
    page = ben.client.get(address(article))
    assert "There are unpublished changes" in page.text
    assert filled(page)["title"] == ["Old"]
    ben.save(article, excerpt="Ben’s")
    assert (fresh(article).title, fresh(article).excerpt) == ("Old", "Ben’s")
    assert document_of(WorkingCopy.objects.get()).title == "New"


def test_changes_kept_from_the_storys_form_join_those_that_are_there(ana, ben):
    article = make_article(title="Old", excerpt="Old")
    keep(ana, article, title="Ana’s")
    told, *_ = messages(keep(ben, article, excerpt="Ben’s"))
    assert "They were merged with those that were kept already (ana, at " in told
    copy = WorkingCopy.objects.get()
    assert (copy.version, copy.author) == (2, ben.user)
    assert (document_of(copy).title, document_of(copy).excerpt) == ("Ana’s", "Ben’s")


def test_two_editors_who_keep_the_same_field_are_shown_both(ana, ben):
    article = make_article(title="Old")
    data = ben.open(article)
    keep(ana, article, title="Ana’s")
    page = ben.send(article, data, title="Ben’s", **KEEP)
    assert disputed(page) == ["title"]
    assert document_of(WorkingCopy.objects.get()).title == "Ana’s"
    ben.choose(page, title="mine")
    assert document_of(WorkingCopy.objects.get()).title == "Ben’s"
    assert fresh(article).title == "Old"


def test_keeping_from_a_form_that_is_old_is_compared_with_the_story(ana, ben):
    article = make_article(title="Old", excerpt="Old")
    data = ana.open(article)
    ben.save(article, title="Ben’s")
    page = ana.send(article, data, title="Ana’s", excerpt="Ana’s", **KEEP)
    assert disputed(page) == ["title"]
    ana.choose(page, title="theirs")
    copy = WorkingCopy.objects.get()
    assert (document_of(copy).title, document_of(copy).excerpt, copy.base_version) == ("Ben’s", "Ana’s", 2)
    assert fresh(article).excerpt == "Old"


# --- Editing them -------------------------------------------------------------------------------


def test_form_of_the_changes_shows_them_and_an_unchanged_one_changes_nothing(ana):
    article = make_article(title="Old &amp; grey", topics=[make_topic("Coast")])
    sea, outlet = make_topic("Sea"), make_provider()
    add_picture(article, alt="First")
    make_related(article, title="R&#8217;s", excerpt="Theirs", extra={"shelf": 7})
    rows = picture_rows({"address": "https://pictures.example/new.png", "alt": "New"}, first=1)
    keep(ana, article, title="New & blue", topics=[sea.pk], provider=outlet.pk, heat="9", **rows)
    kept = document_of(WorkingCopy.objects.get())
    data = form_of_changes(ana, article)
    assert (data["title"], data["topics"], data["provider"]) == (["New & blue"], [str(sea.pk)], [str(outlet.pk)])
    assert (data["pictures-0-alt"], data["pictures-1-alt"]) == (["First"], ["New"])
    assert data["pictures-1-address"] == ["https://pictures.example/new.png"]
    assert (data["related_stories-0-title"], data["related_stories-0-excerpt"]) == (["R’s"], ["Theirs"])
    send_changes(ana, article, data)
    assert document_of(WorkingCopy.objects.get()) == kept


def test_form_of_the_changes_saves_to_them_and_not_to_the_story(ana):
    article = make_article(title="Old")
    add_picture(article, alt="First")
    add_picture(article, alt="Second")
    keep(ana, article, title="New")
    before = state(article)
    changes = {"title": "Newer", "pictures-0-DELETE": "on", "pictures-1-alt": "Only"}
    send_changes(ana, article, form_of_changes(ana, article), **changes)
    copy = WorkingCopy.objects.get()
    assert (document_of(copy).title, [image.alt for image in document_of(copy).images]) == ("Newer", ["Only"])
    assert copy.version == 2
    assert state(article) == before


def test_form_of_the_changes_with_an_error_keeps_the_text_and_stays_that_form(ana):
    article = make_article(title="Old")
    keep(ana, article, title="New")
    page = send_changes(ana, article, form_of_changes(ana, article), title="Newer", web_url="nonsense")
    assert page.status_code == 200
    assert "You are editing the unpublished changes" in page.text
    again = filled(page)
    send_changes(ana, article, again, web_url="https://outlet.example/right")
    kept = document_of(WorkingCopy.objects.get())
    assert (kept.title, kept.web_url, fresh(article).title) == ("Newer", "https://outlet.example/right", "Old")


def test_form_of_the_changes_has_no_button_that_saves_the_story(ana):
    article = make_article()
    keep(ana, article, title="New")
    page = ana.client.get(address(article, query="?changes=1")).text
    for name in ("_save", "_continue", "_verb"):
        assert f'name="{name}"' not in page
    assert 'name="_keep"' in page
    assert 'name="_live"' in page


def test_save_forged_in_the_form_of_the_changes_goes_to_them(ana):
    article = make_article(title="Old")
    keep(ana, article, title="New")
    data = form_of_changes(ana, article) | {"title": "Forged", "_save": "Save", "_verb": "unpublish"}
    ana.client.post(address(article, query="?changes=1"), data)
    assert (fresh(article).title, fresh(article).status) == ("Old", "published")


def test_two_editors_of_the_changes_are_shown_both(ana, ben):
    article = make_article(title="Old", excerpt="Old")
    keep(ana, article, title="New")
    first, second = form_of_changes(ana, article), form_of_changes(ben, article)
    send_changes(ana, article, first, title="Ana’s")
    page = send_changes(ben, article, second, title="Ben’s", excerpt="Ben’s")
    assert disputed(page) == ["title"]
    assert page.context["panels"][0].sides[1][1].startswith("ana, at ")
    ben.choose(page, title="theirs")
    kept = document_of(WorkingCopy.objects.get())
    assert (kept.title, kept.excerpt) == ("Ana’s", "Ben’s")
    third = form_of_changes(ben, article)
    send_changes(ana, article, form_of_changes(ana, article), title="Ana’s second")
    told, *_ = messages(send_changes(ben, article, third, excerpt="Ben’s second"))
    assert "They were merged with those that were kept already (ana, at " in told
    kept = document_of(WorkingCopy.objects.get())
    assert (kept.title, kept.excerpt) == ("Ana’s second", "Ben’s second")


def test_changes_that_were_discarded_while_one_edited_them_keep_only_ones_own(ana, ben):
    article = make_article(title="Old", excerpt="Old")
    keep(ana, article, title="New")
    data = form_of_changes(ben, article)
    ana.client.post(address(article, "discard"), {"changes-version": 1})
    send_changes(ben, article, data, excerpt="Ben’s")
    kept = document_of(WorkingCopy.objects.get())
    assert (kept.title, kept.excerpt) == ("Old", "Ben’s")


def test_form_of_changes_that_are_not_there_leads_to_the_story(ana):
    article = make_article()
    answer = ana.client.get(address(article, query="?changes=1"), follow=True)
    assert answer.redirect_chain == [(address(article), 302)]
    assert messages(answer)[0].startswith("There are no unpublished changes")


def test_what_they_began_as_cannot_be_forged(ana):
    article = make_article()
    keep(ana, article, title="New")
    data = form_of_changes(ana, article) | {"changes-base": "forged"} | KEEP
    assert ana.client.post(address(article, query="?changes=1"), data).status_code == 400


# --- Comparing and putting live -----------------------------------------------------------------


def test_changes_are_shown_beside_what_is_live(ana):
    article = make_article(title="The old pier")
    keep(ana, article, title="The new pier")
    page = ana.client.get(address(article, "changes"))
    assert [name for name, *_ in page.context["panels"]] == ["title"]
    assert "<del>old</del>" in page.text
    assert "<ins>new</ins>" in page.text


def test_putting_live_makes_one_revision_and_one_event_and_nothing_is_left(ana, ben):
    article = make_article(title="Old")
    rows = picture_rows({"address": "https://pictures.example/new.png", "alt": "New"})
    keep(ana, article, title="New", **rows, **{"verb-note": "For Monday"})
    told = messages(put_live(ben, article))
    assert told[0] == "The changes are live: title, pictures."
    saved = fresh(article)
    assert (saved.title, saved.version, saved.pictures.get().alt) == ("New", 2, "New")
    assert not WorkingCopy.objects.exists()
    event = article.events.first()
    assert (event.verb, event.actor, event.note, event.data["fields"]) == (
        *("put_live", ben.user, "For Monday"),
        ["title", "images"],
    )
    assert article.revisions.first().author == ben.user


def test_putting_live_keeps_what_the_story_has_become_meanwhile(ana, ben):
    article = make_article(title="Old", excerpt="Old", heat=1)
    keep(ana, article, title="New")
    ben.save(article, excerpt="Ben’s")
    Article.objects.filter(pk=article.pk).update(heat=70)
    put_live(ana, article)
    assert (fresh(article).title, fresh(article).excerpt, fresh(article).heat) == ("New", "Ben’s", 70)


def test_putting_live_asks_where_the_story_says_something_else_by_now(ana, ben):
    article = make_article(title="Old", excerpt="Old")
    keep(ana, article, title="Ana’s", excerpt="Ana’s")
    ben.save(article, title="Ben’s")
    page = put_live(ana, article)
    assert disputed(page) == ["title"]
    assert [heading.split(" at ")[0] for _, heading, _ in page.context["panels"][0].sides] == [
        "The unpublished changes",
        "Live now: ben,",
    ]
    assert (fresh(article).title, fresh(article).excerpt) == ("Ben’s", "Old")
    ana.choose(page, title="theirs")
    assert (fresh(article).title, fresh(article).excerpt) == ("Ben’s", "Ana’s")
    assert not WorkingCopy.objects.exists()


def test_putting_live_asks_before_it_takes_away_what_was_written_in_meanwhile(ana, ben):
    article = make_article()
    add_picture(article, alt="Old")
    keep(ana, article, **{"pictures-0-DELETE": "on"})
    ben.save(article, **{"pictures-0-alt": "Ben’s careful words"})
    assert disputed(put_live(ana, article)) == ["images"]
    assert document(article).images[0].alt == "Ben’s careful words"


def test_pictures_of_an_outlet_that_are_all_taken_down_since_are_left_out_and_told(ana):
    outlet, picture = make_provider(), make_image()
    article = make_article(provider=outlet, title="Old")
    rows = picture_rows({"address": picture.source_url}, {"address": "https://pictures.example/other.png"})
    keep(ana, article, title="New", **rows)
    take_down_pictures(outlet, by=make_user("Managers"), reason="They asked.")
    told = messages(put_live(ana, article))
    assert told[0] == "2 pictures were left out: all pictures of their outlet are taken down."
    assert (fresh(article).title, document(article).images) == ("New", ())
    assert article.events.first().data["withheld"] == 2
    assert not RemoteImage.objects.filter(source_url=picture.source_url, state="pending", urgent=True).exists()


def rename(topic) -> None:
    """As a manager does it in the topic's form."""
    manager, url = Editor("manager", "Managers"), reverse("admin:articles_topic_change", args=[topic.pk])
    data = filled(manager.client.get(url), "topic_form")
    manager.client.post(url, data | {"name": "New name", "_save": "Save"})


def merge_away(topic) -> None:
    merge_topics([topic], make_topic("New name"), by=make_user("Managers"))


@pytest.mark.parametrize("change", [rename, merge_away])
def test_topic_that_is_called_otherwise_while_the_form_of_the_changes_is_open_stays_in_them(ana, change):
    kept, topic = make_topic("Kept"), make_topic("Old name")
    article = make_article(title="Old", topics=[kept])
    keep(ana, article, topics=[kept.pk, topic.pk])
    data = form_of_changes(ana, article)
    change(topic)
    send_changes(ana, article, data, title="New")
    changes = document_of(WorkingCopy.objects.get())
    assert (changes.title, changes.topics) == ("New", ("Kept", "New name"))


@pytest.mark.parametrize("change", [rename, merge_away])
def test_topic_that_is_called_otherwise_since_stays_in_the_changes(ana, change):
    kept, topic = make_topic("Kept"), make_topic("Old name")
    article = make_article(title="Old", topics=[kept])
    keep(ana, article, topics=[kept.pk, topic.pk])
    change(topic)
    now = Topic.objects.get(name="New name")
    data = form_of_changes(ana, article)
    assert data["topics"] == [str(kept.pk), str(now.pk)]
    assert "New name" in ana.client.get(address(article, "preview", "?changes=1")).text
    send_changes(ana, article, data, title="New")
    assert document_of(WorkingCopy.objects.get()).topics == ("Kept", "New name")
    put_live(ana, article)
    assert document(article).topics == ("Kept", "New name")


def test_topic_that_the_changes_take_away_does_not_come_back_by_another_name(ana):
    topic = make_topic("Old name")
    article = make_article(topics=[topic])
    keep(ana, article, topics=[])
    rename(topic)
    put_live(ana, article)
    assert document(article).topics == ()


def test_topic_that_was_deleted_since_stays_in_the_changes_and_the_form_says_so(ana):
    kept, gone, added = (make_topic(name) for name in ("Kept", "Gone", "Added"))
    article = make_article(title="Old")
    keep(ana, article, topics=[gone.pk, kept.pk])
    gone.delete()
    assert "Deleted since, and kept in the changes: Gone." in ana.client.get(address(article, query="?changes=1")).text
    send_changes(ana, article, form_of_changes(ana, article), title="New")
    assert document_of(WorkingCopy.objects.get()).topics == ("Gone", "Kept")
    send_changes(ana, article, form_of_changes(ana, article), topics=[added.pk])
    assert document_of(WorkingCopy.objects.get()).topics == ("Added", "Gone")


def test_outlet_that_has_moved_since_stays_in_the_changes_and_is_made_no_second_time(ana):
    outlet, other = make_provider(), make_provider()
    article = make_article(title="Old")
    make_related(article, provider=other)
    keep(ana, article, provider=outlet.pk)
    for record, domain in ((outlet, "moved.example"), (other, "also.example")):
        record.domain = domain
        record.save()
    data = form_of_changes(ana, article)
    assert (data["provider"], data["related_stories-0-provider"]) == ([str(outlet.pk)], [str(other.pk)])
    send_changes(ana, article, data, title="New")
    count = Provider.objects.count()
    put_live(ana, article)
    live = document(article)
    assert (live.provider.domain, live.related[0].provider.domain) == ("moved.example", "also.example")
    assert Provider.objects.count() == count


def test_changes_that_were_saved_again_while_one_chose_are_not_lost(ana, ben):
    article = make_article(title="Old", excerpt="Old")
    keep(ana, article, title="Ana’s")
    ben.save(article, title="Ben’s")
    page = put_live(ana, article)
    send_changes(ben, article, form_of_changes(ben, article), excerpt="Ben’s addition")
    again = ana.choose(page, title="mine")
    told = messages(ana.choose(again, title="mine"))
    assert told == [
        "Somebody has saved, discarded or put live these changes meanwhile. Nothing was done: look at them again."
    ]
    assert document_of(WorkingCopy.objects.get()).excerpt == "Ben’s addition"
    assert fresh(article).title == "Ben’s"


def test_button_of_a_page_that_showed_older_changes_does_nothing(ana, ben):
    article = make_article(title="Old")
    keep(ana, article, title="Ana’s")
    send_changes(ben, article, form_of_changes(ben, article), title="Ben’s")
    for page in ("put_live", "discard"):
        ana.client.post(address(article, page), {"changes-version": 1})
        ana.client.post(address(article, page), {"changes-version": "x"})
    assert fresh(article).title == "Old"
    assert document_of(WorkingCopy.objects.get()).title == "Ben’s"


def test_form_of_the_changes_can_put_them_live_at_once(ana):
    article = make_article(title="Old")
    keep(ana, article, title="New")
    told = messages(send_changes(ana, article, form_of_changes(ana, article), title="Newer", _live="1"))
    assert told == ["The changes are live: title."]
    assert fresh(article).title == "Newer"
    assert not WorkingCopy.objects.exists()


def test_changes_that_the_story_has_already_are_put_away(ana, ben):
    article = make_article(title="Old")
    keep(ana, article, title="New")
    ben.save(article, title="New")
    told, *_ = messages(put_live(ana, article))
    assert told == "The story says all of this already. The changes were put away."
    assert fresh(article).version == 2
    assert not WorkingCopy.objects.exists()


def test_import_flows_into_the_live_story_and_meets_the_changes_when_they_go_live(ana, tmp_path):
    source = Source(tmp_path)
    article = source.say()
    keep(ana, article, title="Ana’s")
    source.say(excerpt="The source’s", picture="https://pictures.example/new.png")
    assert (fresh(article).title, fresh(article).excerpt) == ("Old", "The source’s")
    put_live(ana, article)
    saved = fresh(article)
    assert (saved.title, saved.excerpt) == ("Ana’s", "The source’s")
    assert [use.image.source_url for use in saved.pictures.all()] == ["https://pictures.example/new.png"]


@pytest.mark.parametrize("verb", ["unpublish", "unpublish reject"])
def test_changes_outlive_what_happens_to_the_storys_state(ana, verb):
    article = make_article(title="Old")
    keep(ana, article, title="New")
    for each in verb.split():
        ana.save(article, _verb=each)
    assert "There are unpublished changes" in ana.client.get(address(article)).text
    told, *_ = messages(put_live(ana, article))
    assert told == "The changes are in the story: title."
    assert (fresh(article).title, fresh(article).status == "published") == ("New", False)


def test_discarding_asks_first_and_leaves_an_event(ana):
    article = make_article(title="Old")
    keep(ana, article, title="New")
    page = ana.client.get(address(article, "discard"))
    assert "They cannot be brought back" in page.text
    assert WorkingCopy.objects.exists()
    ana.client.post(address(article, "discard"), filled(page, "discard"))
    assert not WorkingCopy.objects.exists()
    assert (article.events.first().verb, fresh(article).title) == ("discard_changes", "Old")


# --- Who may ------------------------------------------------------------------------------------


def test_changes_that_cannot_be_read_any_more_are_told_of_and_can_be_discarded(ana):
    article = make_article(title="Old")
    keep(ana, article, title="New")
    copy = WorkingCopy.objects.get()
    copy.document |= {"quality": "of no use any more"}
    copy.save()
    assert "they cannot be read any more" in ana.client.get(address(article)).text
    for page in ("changes", "discard"):
        assert "cannot be read any more" in ana.client.get(address(article, page)).text
    unreadable = "The unpublished changes of this story cannot be read any more. They can only be discarded."
    form = ana.client.get(address(article, query="?changes=1"), follow=True)
    assert (messages(form), filled(form)["title"]) == ([unreadable], ["Old"])
    assert messages(put_live(ana, article)) == [unreadable]
    assert "cannot be read any more" in ana.send(article, filled(form), title="Mine", **KEEP).text
    assert ana.client.get(address(article, "preview", "?changes=1")).status_code == 200
    assert fresh(article).title == "Old"
    ana.client.post(address(article, "discard"), {"changes-version": copy.version})
    assert not WorkingCopy.objects.exists()
    assert article.events.first().verb == "discard_changes"


@pytest.mark.parametrize("group", ["", "Contributors"])
def test_who_may_not_change_a_published_story_may_do_nothing_with_its_changes(ana, group):
    article = make_article(title="Old")
    keep(ana, article, title="New")
    data = form_of_changes(ana, article) | KEEP
    eve = Editor("eve", group)
    assert eve.client.post(address(article, query="?changes=1"), data).status_code == 403
    for page in ("put_live", "discard"):
        assert eve.client.post(address(article, page), {"changes-version": 1}).status_code == 403
    assert eve.client.get(address(article, "discard")).status_code == 403
    seen = eve.client.get(address(article, "changes"))
    assert seen.status_code == (200 if group else 403)
    assert "Put live" not in seen.text
    assert fresh(article).title == "Old"
    assert WorkingCopy.objects.get().version == 1


def test_who_may_look_sees_the_story_in_the_form_and_not_its_changes(ana):
    article = make_article(title="Old")
    keep(ana, article, title="The secret title")
    page = Editor("carl", "Contributors").client.get(address(article, query="?changes=1"))
    assert page.status_code == 200
    assert "The secret title" not in page.text


@pytest.mark.parametrize("page", ["changes", "put_live", "discard"])
def test_story_that_is_not_there_is_404(ana, page):
    for key in ("99", "x", "9" * 30):
        url = reverse(f"admin:articles_article_{page}", args=[key])
        assert ana.client.get(url).status_code == 404
        assert ana.client.post(url).status_code == 404


def test_nobody_opens_these_pages_without_a_login(client):
    article = make_article()
    for page in ("changes", "put_live", "discard"):
        assert "/login/" in client.post(address(article, page)).headers["Location"]


def test_query_count_of_the_form_of_changes_does_not_grow_with_its_rows(ana, django_assert_num_queries):
    article = make_article(topics=[make_topic()])
    add_picture(article)
    make_related(article, provider=make_provider())
    keep(ana, article, title="New")
    ana.client.get(address(article))
    with django_assert_num_queries(34):
        ana.client.get(address(article, query="?changes=1"))
    WorkingCopy.objects.all().delete()
    for _ in range(5):
        add_picture(article)
        make_related(article, provider=make_provider())
    keep(ana, article, title="New")
    with django_assert_num_queries(34):
        ana.client.get(address(article, query="?changes=1"))
