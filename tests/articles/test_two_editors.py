"""Two editors on one story, and an import: whoever saves later is shown both, and nothing is overwritten in silence."""

import dataclasses
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from articles import workflow
from articles.admin.comparing import Comparison, Draft, Place
from articles.documents import ArticleDocument, RelatedRef
from articles.editing import StaleError, edit
from articles.importing import Options, import_paths
from articles.models import Article, RelatedImage
from articles.records import article_document, with_parts
from articles.retopic import merge_topics
from images.models import RemoteImage
from images.takedown import take_down
from tests.articles.pages import filled, messages
from tests.factories import (
    add_picture,
    make_article,
    make_image,
    make_provider,
    make_related,
    make_topic,
    make_user,
)

pytestmark = pytest.mark.django_db

FILE = """---
category: news
title: "{title}"
excerpt: "{excerpt}"
publishedDateTime: 2026-03-02T12:00:00Z
webUrl: "https://outlet.example/1"
type: article
heat: {heat}
published: true
provider:
  name: Outlet
  domain: outlet.example
images:
  - url: "{picture}"
    width: 640
    height: 480
related:
  - title: "Theirs"
    webUrl: "https://other.example/1"
    shelf: 7
---
"""


def address(article, page: str = "change") -> str:
    return reverse(f"admin:articles_article_{page}", args=[article.pk])


class Editor:
    """A person with a browser, who opens the form now and sends it later."""

    def __init__(self, username: str, group: str = "Editors", **more) -> None:
        self.user = make_user(group, username=username, **more)
        self.client = Client()
        self.client.force_login(self.user)

    def open(self, article) -> dict[str, list[str]]:
        return filled(self.client.get(address(article)))

    def send(self, article, data, **changes):
        button = {} if {"_verb", "_continue", "_keep"} & changes.keys() else {"_save": "Save"}
        return self.client.post(address(article), data | changes | button, follow=True)

    def save(self, article, **changes):
        return self.send(article, self.open(article), **changes)

    def choose(self, page, **choices):
        """Answer the page with both versions; `all_="mine"` presses that button."""
        data = filled(page, "choose")
        data = {name: value for name, value in data.items() if not name.startswith("choose-")}
        if everywhere := choices.pop("all_", None):
            data["all"] = everywhere
        chosen = {f"choose-{name}": choice for name, choice in choices.items()}
        return self.client.post(page.context["action"], data | chosen, follow=True)


@pytest.fixture
def ana() -> Editor:
    return Editor("ana")


@pytest.fixture
def ben() -> Editor:
    return Editor("ben")


def disputed(page) -> list[str]:
    assert page.status_code == 409, messages(page)
    return [panel.name for panel in page.context["panels"]]


def fresh(article) -> Article:
    return Article.objects.get(pk=article.pk)


def document(article) -> ArticleDocument:
    return article_document(with_parts(Article.objects.filter(pk=article.pk)).get())


def picture_rows(*rows: dict[str, str], first: int = 0) -> dict[str, str]:
    values = {f"pictures-{n}-{name}": value for n, row in enumerate(rows, first) for name, value in row.items()}
    return values | {"pictures-TOTAL_FORMS": str(first + len(rows))}


# --- The same field -----------------------------------------------------------------------------


def test_same_field_is_shown_with_both_values_and_nothing_is_saved(ana, ben):
    article = make_article(title="The old harbour")
    data = ana.open(article)
    ben.save(article, title="The new harbour")
    page = ana.send(article, data, title="The harbour at last")
    assert disputed(page) == ["title"]
    [panel] = page.context["panels"]
    sides = [side[0][0] for side in (panel.before, *(s for _, _, s in panel.sides))]
    shown = ["".join(piece.text for piece in side if not piece.is_gone) for side in sides]
    assert shown == ["The old harbour", "The harbour at last", "The new harbour"]
    assert "<mark>at last</mark>" in page.text
    assert page.text.count("<del>old</del>") == 2
    assert "<mark>new</mark>" in page.text
    assert [heading.split(" at ")[0] for _, heading, _ in panel.sides] == ["Yours", "ben,"]
    assert panel.chosen == ""
    assert " checked" not in page.text
    assert (fresh(article).title, fresh(article).version) == ("The new harbour", 2)


@pytest.mark.parametrize(("choice", "title"), [("mine", "Ana’s"), ("theirs", "Ben’s")])
def test_choice_decides(ana, ben, choice, title):
    article = make_article(title="Old", excerpt="Old")
    data = ana.open(article)
    ben.save(article, title="Ben’s")
    page = ana.send(article, data, title="Ana’s", excerpt="Also Ana’s")
    assert page.context["kept"] == ["excerpt"]
    answer = ana.choose(page, title=choice)
    assert (fresh(article).title, fresh(article).excerpt, fresh(article).version) == (title, "Also Ana’s", 3)
    told, *_ = messages(answer)
    assert told.startswith(f"“{title}” was saved. It had changed meanwhile (ben, at ")
    revision = article.revisions.first()
    assert (revision.author, revision.document["title"]) == (ana.user, title)
    assert article.events.first().actor == ana.user


@pytest.mark.parametrize(("choice", "title", "excerpt"), [("mine", "A", "A"), ("theirs", "B", "B")])
def test_whole_page_can_be_taken_from_one_side(ana, ben, choice, title, excerpt):
    article = make_article(title="Old", excerpt="Old")
    data = ana.open(article)
    ben.save(article, title="B", excerpt="B")
    ana.choose(ana.send(article, data, title="A", excerpt="A"), all_=choice)
    assert (fresh(article).title, fresh(article).excerpt) == (title, excerpt)


def test_choice_is_required_and_a_half_answer_is_kept(ana, ben):
    article = make_article(title="Old", excerpt="Old")
    data = ana.open(article)
    ben.save(article, title="B", excerpt="B")
    page = ana.choose(ana.send(article, data, title="A", excerpt="A"), title="mine")
    assert disputed(page) == ["title", "excerpt"]
    assert page.context["told"] == "Choose one of the two: excerpt. Nothing was saved yet."
    assert [panel.chosen for panel in page.context["panels"]] == ["mine", ""]
    assert fresh(article).title == "B"
    ana.choose(page, title="mine", excerpt="theirs")
    assert (fresh(article).title, fresh(article).excerpt) == ("A", "B")


def test_same_change_by_both_is_no_dispute(ana, ben):
    article = make_article(title="Old")
    data = ana.open(article)
    ben.save(article, title="Same")
    answer = ana.send(article, data, title="Same")
    assert fresh(article).version == 2
    assert messages(answer)[0].startswith("“Same” was not changed by you. It had changed meanwhile (ben, at ")


def test_own_other_window_is_called_that(ana):
    article = make_article(title="Old")
    data = ana.open(article)
    ana.save(article, title="In the other window")
    page = ana.send(article, data, title="Here")
    assert disputed(page) == ["title"]
    assert page.context["panels"][0].sides[1][1].startswith("You, in another window, at ")


def test_each_field_is_told_by_who_changed_it(ana, ben):
    article, carl = make_article(title="Old", excerpt="Old"), Editor("carl")
    data = ana.open(article)
    ben.save(article, title="Ben’s")
    carl.save(article, excerpt="Carl’s")
    page = ana.send(article, data, title="A", excerpt="A")
    assert [panel.sides[1][1].split(",")[0] for panel in page.context["panels"]] == ["ben", "carl"]
    assert [doing.who for doing in page.context["doings"]] == ["ben", "carl"]


def test_third_save_while_one_chooses_brings_the_page_again(ana, ben):
    article = make_article(title="Old")
    data = ana.open(article)
    ben.save(article, title="Ben’s")
    page = ana.send(article, data, title="Ana’s")
    ben.save(article, title="Ben’s second")
    again = ana.choose(page, title="theirs")
    assert disputed(again) == ["title"]
    assert again.context["told"].startswith("It has changed again meanwhile")
    assert "Ben’s second" in again.text.replace("<mark>", "").replace("</mark>", "")
    assert fresh(article).title == "Ben’s second"
    ana.choose(again, title="mine")
    assert fresh(article).title == "Ana’s"


def test_three_in_a_row_lose_nothing(ana, ben):
    article, carl = make_article(title="Old", excerpt="Old", category="news"), Editor("carl")
    first, second, third = (each.open(article) for each in (ana, ben, carl))
    ana.send(article, first, title="A")
    ben.send(article, second, excerpt="B")
    carl.send(article, third, category="people")
    saved = fresh(article)
    assert (saved.title, saved.excerpt, saved.category, saved.version) == ("A", "B", "people", 4)


def test_texts_on_the_page_are_escaped_and_sealed_text_is_on_none(ana, ben):
    article = make_article(title="Old", secured="c2VhbGVk;aXY=")
    data = ana.open(article)
    ben.save(article, title="<script>alert(1)</script>")
    page = ana.send(article, data, title="<script>alert(2)</script>")
    assert disputed(page) == ["title"]
    assert "<script>alert" not in page.text
    assert "c2VhbGVk" not in page.text
    ana.choose(page, title="mine")
    assert (fresh(article).title, fresh(article).secured) == ("<script>alert(2)</script>", "c2VhbGVk;aXY=")


def test_form_that_says_no_version_or_one_that_nobody_knows_is_compared_field_by_field(ana):
    article = make_article(title="Old", excerpt="Same")
    for version in ("", "99"):
        page = ana.send(article, ana.open(article), title="Mine", version=version)
        assert disputed(page) == ["title"]
        assert page.context["panels"][0].before is None
    assert fresh(article).title == "Old"
    ana.choose(page, title="mine")
    assert fresh(article).title == "Mine"


# --- Other fields -------------------------------------------------------------------------------


def test_other_fields_are_merged_and_told(ana, ben):
    article = make_article(title="Old &amp; grey", excerpt="Old")
    data = ana.open(article)
    ben.save(article, excerpt="Ben’s")
    told = messages(ana.send(article, data, title="Ana’s"))[0]
    assert "of yours were added: title." in told
    assert (fresh(article).title, fresh(article).excerpt, fresh(article).version) == ("Ana’s", "Ben’s", 3)
    assert article.events.first().data["fields"] == ["title"]


def test_fields_that_nobody_edited_stay_to_the_last_byte(ana, ben):
    at = datetime(2026, 3, 2, 12, 0, 1, 123456, tzinfo=UTC)
    article = make_article(title="It&#8217;s ", excerpt="One\nTwo\n", published_at=at, body="A\n\nB\n")
    data = ana.open(article)
    ben.save(article, category="people")
    ana.send(article, data, type="video")
    saved = fresh(article)
    assert (saved.title, saved.excerpt, saved.published_at, saved.body) == ("It&#8217;s ", "One\nTwo\n", at, "A\n\nB\n")
    assert (saved.category, saved.type) == ("people", "video")


def test_provider_is_the_same_one_though_it_was_renamed_meanwhile(ana, ben):
    article, provider = make_article(provider=make_provider(name="Old name")), make_provider()
    data = ana.open(article)
    ben.save(article, excerpt="Ben’s")
    type(provider).objects.filter(pk=article.provider_id).update(name="New name")
    ana.send(article, data, title="Ana’s")
    assert fresh(article).provider_id == article.provider_id
    data = ana.open(article)
    ben.save(article, title="Ben’s")
    ana.send(article, data, provider=provider.pk)
    assert (fresh(article).title, fresh(article).provider) == ("Ben’s", provider)


def test_heat_that_came_in_meanwhile_stays_in_a_merge_too(ana, ben):
    article = make_article(heat=3)
    data = ana.open(article)
    ben.save(article, excerpt="Ben’s")
    Article.objects.filter(pk=article.pk).update(heat=70)
    ana.send(article, data, title="Ana’s")
    assert (fresh(article).title, fresh(article).heat) == ("Ana’s", 70)


def test_address_here_that_both_changed_is_chosen_too(ana, ben):
    article = make_article(public=False, stem="2026-03-02-old")
    data = ana.open(article)
    ben.save(article, stem="2026-03-02-ben")
    page = ana.send(article, data, stem="2026-03-02-ana")
    assert disputed(page) == ["stem"]
    ana.choose(page, stem="mine")
    assert fresh(article).stem == "2026-03-02-ana"


def test_address_here_that_one_changed_is_merged(ana, ben):
    article = make_article(public=False, title="Old", stem="2026-03-02-old")
    data = ana.open(article)
    ben.save(article, title="Ben’s")
    ana.send(article, data, stem="2026-03-02-ana")
    assert (fresh(article).title, fresh(article).stem) == ("Ben’s", "2026-03-02-ana")


def test_address_that_readers_have_seen_by_now_is_not_dropped_in_silence(ana, ben):
    article = make_article(public=False, stem="2026-03-02-old")
    data = ana.open(article)
    ben.save(article, _verb="publish")
    told = messages(ana.send(article, data, stem="2026-03-02-ana", title="Ana’s"))
    assert "The address was not changed to 2026-03-02-ana: readers have seen this one." in told
    assert (fresh(article).stem, fresh(article).title) == ("2026-03-02-old", "Ana’s")


# --- Lists --------------------------------------------------------------------------------------


def test_topics_that_each_added_are_both_there(ana, ben):
    coast, sea, ships = (make_topic(name) for name in ("Coast", "Sea", "Ships"))
    article = make_article(topics=[coast])
    data = ana.open(article)
    ben.save(article, topics=[coast.pk, sea.pk])
    ana.send(article, data, topics=[coast.pk, ships.pk])
    assert {topic.name for topic in article.topics.all()} == {"Coast", "Sea", "Ships"}


def test_topic_that_was_renamed_meanwhile_is_no_edit(ana, ben):
    coast = make_topic("Coast")
    article = make_article(topics=[coast])
    data = ana.open(article)
    ben.save(article, excerpt="Ben’s")
    coast.name = "Shore"
    coast.save()
    ana.send(article, data, title="Ana’s")
    assert [topic.name for topic in article.topics.all()] == ["Shore"]
    assert article.events.first().data["fields"] == ["title"]


def test_topic_that_was_merged_meanwhile_is_the_one_it_was_merged_into(ana):
    sea, solo, stay = (make_topic(name) for name in ("Sea", "Solo", "Stay"))
    article = make_article(topics=[solo, sea])
    data = ana.open(article)
    merge_topics([solo], stay, by=make_user("Managers"))
    ana.send(article, data, title="Ana’s")
    assert (fresh(article).title, document(article).topics) == ("Ana’s", ("Stay", "Sea"))


def test_topics_that_were_merged_into_each_other_meanwhile_are_one(ana):
    solo, stay = make_topic("Solo"), make_topic("Stay")
    article = make_article(topics=[solo, stay])
    data = ana.open(article)
    merge_topics([solo], stay, by=make_user("Managers"))
    page = ana.send(article, data, title="")
    assert filled(page)["topics"] == [str(stay.pk)]
    ana.send(article, filled(page), title="Ana’s")
    assert (fresh(article).title, document(article).topics) == ("Ana’s", ("Stay",))


def test_topic_that_was_deleted_meanwhile_is_told_of_by_name(ana):
    sea, solo = make_topic("Sea"), make_topic("Solo: all")
    article = make_article(topics=[solo, sea])
    data = ana.open(article)
    solo.delete()
    page = ana.send(article, data, title="Ana’s")
    told = "“Solo: all” has been deleted meanwhile: look at the topics again."
    assert page.context["adminform"].form.errors == {"topics": [told]}
    assert filled(page)["topics"] == [str(sea.pk)]
    ana.send(article, filled(page))
    assert (fresh(article).title, document(article).topics) == ("Ana’s", ("Sea",))


def test_topic_that_a_form_knows_no_name_of_is_told_of_without_a_number(ana):
    article, solo = make_article(), make_topic("Solo")
    data = ana.open(article) | {"topics": [solo.pk]}
    solo.delete()
    page = ana.send(article, data)
    told = "A topic that was chosen has been deleted meanwhile: look at the topics again."
    assert page.context["adminform"].form.errors == {"topics": [told]}


def test_words_of_one_picture_that_both_changed_are_chosen_and_a_new_one_is_merged(ana, ben):
    article = make_article()
    first = add_picture(article, alt="Old", width=640, extra={"shelf": 7})
    data = ana.open(article)
    ben.save(article, **{"pictures-0-alt": "Ben’s"})
    rows = picture_rows({"address": "https://pictures.example/ana.png", "alt": "New"}, first=1)
    page = ana.send(article, data, **{"pictures-0-alt": "Ana’s"}, **rows)
    assert disputed(page) == ["images"]
    ana.choose(page, images="theirs")
    stored = [(use.image.source_url, use.alt) for use in article.pictures.all()]
    assert stored == [(first.image.source_url, "Ben’s"), ("https://pictures.example/ana.png", "New")]
    kept = article.pictures.first()
    assert (kept.width, kept.extra) == (640, {"shelf": 7})
    assert RemoteImage.objects.get(source_url="https://pictures.example/ana.png").urgent


def test_row_that_the_other_deleted_does_not_come_back_and_hides_no_error(ana, ben):
    article = make_article()
    add_picture(article, alt="First")
    gone = add_picture(article, alt="Second")
    data = ana.open(article)
    ben.save(article, **{"pictures-1-DELETE": "on"})
    ana.send(article, data, title="Ana’s")
    assert fresh(article).title == "Ana’s"
    assert not article.pictures.filter(image=gone.image).exists()


def test_row_that_the_other_deleted_and_this_one_edited_is_chosen(ana, ben):
    article = make_article()
    add_picture(article, alt="Only")
    data = ana.open(article)
    ben.save(article, **{"pictures-0-DELETE": "on"})
    page = ana.send(article, data, **{"pictures-0-alt": "Edited"})
    assert disputed(page) == ["images"]
    ana.choose(page, images="mine")
    assert article.pictures.get().alt == "Edited"


def test_row_that_this_one_deleted_and_the_other_left_alone_goes(ana, ben):
    article = make_article()
    add_picture(article)
    data = ana.open(article)
    ben.save(article, title="Ben’s")
    ana.send(article, data, **{"pictures-0-DELETE": "on"})
    assert (fresh(article).title, article.pictures.count()) == ("Ben’s", 0)


@pytest.mark.parametrize(("choice", "order"), [("mine", "CAB"), ("theirs", "BAC")])
def test_topics_that_both_put_in_another_order_are_chosen(ana, ben, choice, order):
    first, second, third = (make_topic(name) for name in "ABC")
    article = make_article(topics=[first, second, third])
    data = ana.open(article)
    ben.save(article, topics=[second.pk, first.pk, third.pk])
    page = ana.send(article, data, topics=[third.pk, first.pk, second.pk])
    assert disputed(page) == ["topics"]
    assert document(article).topics == ("B", "A", "C")
    ana.choose(page, topics=choice)
    assert "".join(document(article).topics) == order


def test_pictures_that_both_put_in_another_order_are_chosen(ana, ben):
    article = make_article()
    for alt in ("one", "two", "three"):
        add_picture(article, alt=alt)
    data = ana.open(article)
    ben.save(article, **{"pictures-1-position": "0", "pictures-0-position": "1"})
    page = ana.send(article, data, **{"pictures-2-position": "0", "pictures-0-position": "2"})
    assert disputed(page) == ["images"]
    assert [image.alt for image in document(article).images] == ["two", "one", "three"]


@pytest.mark.parametrize(("choice", "alts"), [("mine", []), ("theirs", ["Ben’s careful words"])])
def test_row_that_this_one_deleted_and_the_other_wrote_in_is_chosen(ana, ben, choice, alts):
    article = make_article()
    add_picture(article, alt="Old")
    data = ana.open(article)
    ben.save(article, **{"pictures-0-alt": "Ben’s careful words"})
    page = ana.send(article, data, **{"pictures-0-DELETE": "on"})
    assert disputed(page) == ["images"]
    ana.choose(page, images=choice)
    assert [image.alt for image in document(article).images] == alts


def test_related_story_that_this_one_deleted_and_the_other_wrote_in_is_chosen(ana, ben):
    article = make_article()
    make_related(article)
    data = ana.open(article)
    ben.save(article, **{"related_stories-0-excerpt": "Ben’s summary"})
    assert disputed(ana.send(article, data, **{"related_stories-0-DELETE": "on"})) == ["related"]
    assert document(article).related[0].excerpt == "Ben’s summary"


def test_related_stories_keep_what_the_form_does_not_show(ana, ben):
    article = make_article()
    story = make_related(article, title="R&#8217;s", extra={"shelf": 7}, provider=make_provider())
    RelatedImage.objects.create(related_story=story, image=make_image())
    data = ana.open(article)
    ben.save(article, title="Ben’s")
    before = document(article).related
    ana.send(
        article, data, **{"related_stories-0-excerpt": "Ana’s", "related_stories-0-web_url": "https://new.example/"}
    )
    [after] = document(article).related
    assert after == dataclasses.replace(before[0], excerpt="Ana’s", web_url="https://new.example/")


def test_address_of_a_related_story_whose_row_was_replaced_meanwhile_is_edited_and_the_rest_stays(ana, ben):
    article = make_article()
    story = make_related(article, extra={"shelf": 7})
    RelatedImage.objects.create(related_story=story, image=make_image())
    data = ana.open(article)
    before = document(article).related
    another = RelatedRef(title="Another", web_url="https://another.example/1")
    edit(article.pk, lambda now: dataclasses.replace(now, related=(another, *now.related)), by=ben.user, seen=1)
    ana.send(article, data, **{"related_stories-0-web_url": "https://new.example/"})
    assert dataclasses.replace(before[0], web_url="https://new.example/") in document(article).related


def test_picture_that_a_story_has_twice_stays_as_it_is_in_both_places(ana, ben):
    article, image = make_article(title="Old"), make_image()
    add_picture(article, image, alt="First", width=640, extra={"shelf": 7})
    add_picture(article, image, alt="Second", width=1280)
    before, data = document(article).images, ana.open(article)
    ben.save(article, title="Ben’s")
    ana.send(article, data, excerpt="Ana’s", **{"pictures-1-alt": "Edited"})
    assert fresh(article).excerpt == "Ana’s"
    assert document(article).images == (before[0], dataclasses.replace(before[1], alt="Edited"))


@pytest.mark.parametrize("stays", [True, False])
def test_picture_that_was_taken_down_meanwhile_is_no_obstacle(ana, ben, stays):
    article = make_article(title="Old")
    picture = add_picture(article, alt="Old").image
    data = ana.open(article)
    images = [dataclasses.replace(each, title="Ben’s") for each in document(article).images if stays]
    edit(article.pk, lambda now: dataclasses.replace(now, images=tuple(images)), by=ben.user, seen=1)
    take_down(RemoteImage.objects.filter(pk=picture.pk), by=make_user("Managers"), reason="They asked.")
    ana.send(article, data, title="Ana’s")
    assert fresh(article).title == "Ana’s"
    assert [image.title for image in document(article).images] == ["Ben’s"] * stays


def test_picture_that_was_taken_down_is_still_no_new_one_in_a_stale_form(ana, ben):
    article, picture = make_article(title="Old"), make_image()
    data = ana.open(article)
    ben.save(article, excerpt="Ben’s")
    take_down(RemoteImage.objects.filter(pk=picture.pk), by=make_user("Managers"), reason="They asked.")
    page = ana.send(article, data, title="Ana’s", **picture_rows({"address": picture.source_url}))
    assert "This picture was taken down: They asked." in page.text
    assert fresh(article).title == "Old"


# --- Verbs meanwhile ----------------------------------------------------------------------------


def test_edit_of_a_story_that_was_published_meanwhile_is_added_and_told(ana, ben):
    article = make_article(public=False, title="Old")
    data = ana.open(article)
    ben.save(article, _verb="publish")
    told = messages(ana.send(article, data, title="Ana’s"))[0]
    assert "(ben, at " in told
    assert ": published); of yours were added: title." in told
    assert (fresh(article).title, fresh(article).status) == ("Ana’s", "published")


def test_verb_is_not_done_when_the_state_has_changed_meanwhile(ana, ben):
    article = make_article(public=False, status="in_review", title="Old")
    data = ana.open(article)
    ben.save(article, _verb="reject")
    told = messages(ana.send(article, data, title="Ana’s", _verb="publish"))
    assert told[-1] == "It was not published, for its state has changed meanwhile: it has been rejected."
    assert (fresh(article).status, fresh(article).title) == ("rejected", "Ana’s")


def test_what_was_told_with_a_verb_that_is_not_done_any_more_is_kept(ana, ben):
    article = make_article(public=False, title="Old")
    data = ana.open(article)
    ben.save(article, _verb="submit")
    page = ana.send(article, data, title="Ana’s", _verb="reject", **{"verb-note": "Told before"})
    assert "It was not rejected" in messages(page)[-1]
    assert filled(page)["verb-note"] == ["Told before"]
    event, revision = article.events.first(), article.revisions.first()
    assert (event.verb, event.note, revision.note) == ("edit", "Told before", "Told before")
    assert filled(ana.client.get(address(article)))["verb-note"] == [""]


def test_note_of_a_stale_save_that_changes_no_part_of_the_document_is_kept(ana, ben):
    article = make_article(title="Old")
    data = ana.open(article)
    ben.save(article, title="Ben’s")
    ana.send(article, data, no_picture="on", **{"verb-note": "None to be had"})
    assert (article.events.first().note, article.revisions.first().note) == ("None to be had", "None to be had")
    assert fresh(article).no_picture


def test_verb_is_done_after_a_merge_when_the_state_is_as_it_was_seen(ana, ben):
    article = make_article(public=False, title="Old", excerpt="Old")
    data = ana.open(article)
    ben.save(article, excerpt="Ben’s")
    told = messages(ana.send(article, data, title="Ana’s", _verb="publish"))
    assert "“Ana’s” was saved and published." in told
    assert (fresh(article).status, fresh(article).excerpt) == ("published", "Ben’s")


def test_verb_waits_for_the_choice_with_its_note(ana, ben):
    article = make_article(public=False, status="in_review", title="Old")
    data = ana.open(article)
    ben.save(article, title="Ben’s")
    page = ana.send(article, data, title="Ana’s", _verb="send_back", **{"verb-note": "Which whale?"})
    assert disputed(page) == ["title"]
    assert fresh(article).status == "in_review"
    ana.choose(page, title="mine")
    assert fresh(article).status == "draft"
    assert article.events.filter(verb="send_back").get().note == "Which whale?"


def test_forged_verb_after_a_merge_is_refused_as_ever(ana):
    carl = Editor("carl", "Contributors")
    article = make_article(public=False, title="Old", created_by=carl.user)
    data = carl.open(article)
    ana.save(article, excerpt="Ana’s")
    answer = carl.send(article, data, title="Carl’s", _verb="publish")
    assert answer.status_code == 403
    assert (fresh(article).status, fresh(article).title) == ("draft", "Old")


def test_verb_of_a_page_that_showed_another_version_is_refused(ana):
    """What the desk and the bulk page call."""
    article = make_article(public=False)
    seen = {article.pk: article.version}
    ana.save(article, title="Ana’s")
    result = workflow.apply_to_each(workflow.PUBLISH, {article.pk: None}, by=ana.user, seen=seen)
    assert result.refused == {article.pk: workflow.CHANGED_SINCE}
    assert fresh(article).status == "draft"


def test_edit_from_a_page_that_showed_another_version_is_refused(ana):
    article = make_article(title="Old")
    ana.save(article, title="Ana’s")
    with pytest.raises(StaleError):
        edit(article.pk, lambda now: dataclasses.replace(now, title="Old"), by=ana.user, seen=1)
    assert fresh(article).title == "Ana’s"


# --- At the desk and in bulk --------------------------------------------------------------------


def at_the_desk(editor: Editor, name: str, article, **values):
    return editor.client.post(reverse(f"admin:desk_{name}"), {"story": f"{article.pk}:{article.version}"} | values)


def in_bulk(editor: Editor, verb: str, *articles, **values):
    stories = ",".join(f"{article.pk}:{article.version}" for article in articles)
    return editor.client.post(reverse("admin:desk_bulk"), {"verb": verb, "stories": stories, "confirm": "1"} | values)


def test_verb_at_the_desk_leaves_alone_what_a_form_has_changed_meanwhile(ana, ben):
    article = make_article(public=False)
    ben.save(article, title="Ben’s")
    at_the_desk(ana, "act", article, verb="publish")
    assert (fresh(article).status, fresh(article).title) == ("draft", "Ben’s")


def test_topics_at_the_desk_leave_alone_what_a_form_has_changed_meanwhile(ana, ben):
    coast, sea = make_topic("Coast"), make_topic("Sea")
    article = make_article(topics=[coast])
    ben.save(article, topics=[coast.pk, sea.pk])
    at_the_desk(ana, "topics", article, topics="Ships")
    assert [topic.name for topic in article.topics.all()] == ["Coast", "Sea"]


def test_form_meets_topics_that_were_given_at_the_desk_meanwhile(ana, ben):
    sea, ships = make_topic("Sea"), make_topic("Ships")
    article = make_article(title="Old")
    data = ana.open(article)
    at_the_desk(ben, "topics", article, topics="Sea")
    ana.send(article, data, title="Ana’s", topics=[ships.pk])
    assert {topic.name for topic in article.topics.all()} == {sea.name, ships.name}
    assert fresh(article).title == "Ana’s"


def test_form_meets_a_verb_that_was_done_at_the_desk_meanwhile(ana, ben):
    article = make_article(public=False, title="Old", topics=[make_topic()])
    data = ana.open(article)
    at_the_desk(ben, "act", article, verb="publish")
    told = messages(ana.send(article, data, title="Ana’s", _verb="reject"))
    assert "It was not rejected, for its state has changed meanwhile: it is published." in told
    assert (fresh(article).status, fresh(article).title) == ("published", "Ana’s")


def test_bulk_leaves_alone_what_a_form_has_changed_meanwhile(ana, ben):
    changed, same = make_article(), make_article()
    ben.save(changed, title="Ben’s")
    in_bulk(ana, "unpublish", changed, same)
    assert (fresh(changed).status, fresh(same).status) == ("published", "unpublished")


def test_form_meets_what_was_done_in_bulk_meanwhile(ana, ben):
    articles = [make_article(title="One"), make_article(title="Two")]
    data = ana.open(articles[0])
    in_bulk(ben, "unpublish", *articles)
    told = messages(ana.send(articles[0], data, title="Ana’s"))
    assert ": unpublished); of yours were added: title." in told[0]
    assert (fresh(articles[0]).title, fresh(articles[0]).status) == ("Ana’s", "unpublished")


# --- Errors, and stories that are gone ----------------------------------------------------------


def test_errors_are_shown_first_with_the_news_that_the_story_has_changed(ana, ben):
    article = make_article(title="Old")
    picture = add_picture(article, alt="Old")
    data = ana.open(article)
    ben.save(article, title="Ben’s", **{"pictures-0-DELETE": "on"})
    page = ana.send(article, data, title="Ana’s", web_url="nonsense", **{"pictures-0-alt": "Ana’s picture"})
    found = [error for group in page.context["errors"] for error in group]
    assert [error.split(" at ")[0] for error in found] == ["Enter a valid URL.", "ben changed this story"]
    again = filled(page)
    assert (again["title"], again["pictures-0-alt"]) == (["Ana’s"], ["Ana’s picture"])
    assert again["pictures-0-address"] == [picture.image.source_url]
    page = ana.send(article, again, web_url="https://outlet.example/right")
    assert disputed(page) == ["title", "images"]
    ana.choose(page, all_="mine")
    saved = fresh(article)
    assert (saved.title, saved.web_url) == ("Ana’s", "https://outlet.example/right")
    assert article.pictures.get().alt == "Ana’s picture"


def test_value_that_no_file_may_hold_is_an_error_and_saves_nothing(ana, ben):
    article = make_article(title="Old")
    data = ana.open(article)
    ben.save(article, excerpt="Ben’s")
    page = ana.send(article, data, quality=str(2**40))
    assert page.status_code == 200
    assert page.context["errors"]
    assert fresh(article).quality is None


def test_story_that_was_deleted_gives_its_editor_the_text_back(ana):
    article = make_article(title="Old")
    add_picture(article, alt="A pier")
    data = ana.open(article)
    article.delete()
    page = ana.send(article, data, title="<b>Ana’s</b> long work")
    assert page.status_code == 404
    texts = dict(page.context["texts"])
    assert texts["title"] == "<b>Ana’s</b> long work"
    assert texts["pictures, 1: alternative text"] == "A pier"
    assert "<b>Ana" not in page.text
    assert not Article.objects.exists()


def test_story_that_was_deleted_while_one_chose_gives_the_text_back(ana, ben):
    article = make_article(title="Old")
    data = ana.open(article)
    ben.save(article, title="Ben’s")
    page = ana.send(article, data, title="Ana’s")
    article.delete()
    page = ana.choose(page, title="mine")
    assert page.status_code == 404
    assert dict(page.context["texts"])["title"] == "Ana’s"


def test_author_whose_story_was_published_meanwhile_gets_the_text_back(ana):
    carl = Editor("carl", "Contributors")
    article = make_article(public=False, title="Old", created_by=carl.user)
    data = carl.open(article)
    ana.save(article, _verb="publish")
    page = carl.send(article, data, title="Carl’s")
    assert page.status_code == 403
    assert dict(page.context["texts"])["title"] == "Carl’s"
    assert fresh(article).title == "Old"


def test_who_may_change_no_stories_any_more_gets_the_text_back(ana, ben):
    article = make_article(title="Old")
    data = ana.open(article)
    ben.save(article, title="Ben’s")
    choice = ana.send(article, data, title="Ana’s")
    ana.user.groups.clear()
    for page in (ana.send(article, data, title="Ana’s"), ana.choose(choice, title="mine")):
        assert (page.status_code, page.context["form"]) == (403, "")
        assert page.context["title"] == "You may not change stories any more"
        assert dict(page.context["texts"])["title"] == "Ana’s"
    assert fresh(article).title == "Ben’s"


# --- Who may ------------------------------------------------------------------------------------


def test_choice_of_another_editor_another_story_or_a_forger_is_refused(ana, ben):
    article, other = make_article(title="Old"), make_article(title="Other")
    data = ana.open(article)
    ben.save(article, title="Ben’s")
    draft = filled(ana.send(article, data, title="Ana’s"), "choose")["draft"][0]
    for editor, story, sent in (
        (ben, article, draft),
        (ana, other, draft),
        (ana, article, draft[:-2]),
        (ana, article, ""),
    ):
        answer = editor.client.post(address(story, "settle"), {"draft": sent, "all": "mine"})
        assert answer.status_code == 400
    assert (fresh(article).title, fresh(other).title) == ("Ben’s", "Other")


@pytest.mark.parametrize("group", ["", "Contributors"])
def test_who_may_not_change_the_story_may_not_settle_it(ana, ben, group):
    article, outsider = make_article(title="Old"), Editor("eve", group)
    place = Place.of(with_parts(Article.objects.filter(pk=article.pk)).get(), "live")
    mine = dataclasses.replace(place.document, title="Eve’s")
    draft = Draft("live", place.document, mine, 1).sealed(article, outsider.user)
    answer = outsider.client.post(address(article, "settle"), {"draft": draft, "all": "mine"})
    assert answer.status_code == 403
    assert fresh(article).title == "Old"
    anonymous = Client().post(address(article, "settle"), {"draft": draft})
    assert "/login/" in anonymous["Location"]


def test_page_of_a_choice_cannot_be_opened_by_its_address(ana):
    article = make_article()
    assert ana.client.get(address(article, "settle")).headers["Location"] == address(article)
    assert ana.client.post("/admin/articles/article/x/settle/").status_code == 404


# --- Against an import --------------------------------------------------------------------------


class Source:
    """A tree with one file, imported again and again."""

    def __init__(self, tree) -> None:
        self.path = tree / "_news" / "2026-03-02-whale.md"
        self.path.parent.mkdir()
        self.tree = tree
        self.values = {"title": "Old", "excerpt": "Old", "heat": 1, "picture": "https://pictures.example/old.png"}

    def say(self, **values) -> Article:
        self.values |= values
        self.path.write_text(FILE.format(**self.values))
        import_paths([self.tree], Options())
        return Article.objects.get()


@pytest.fixture
def source(tmp_path) -> Source:
    return Source(tmp_path)


def test_import_meanwhile_is_merged_and_its_replaced_rows_break_nothing(ana, source):
    article = source.say()
    data = ana.open(article)
    source.say(excerpt="The source’s", picture="https://pictures.example/new.png")
    told, *_ = messages(ana.send(article, data, title="Ana’s", **{"related_stories-0-excerpt": "Ana’s"}))
    assert "(An import, at " in told
    saved = fresh(article)
    assert (saved.title, saved.excerpt) == ("Ana’s", "The source’s")
    assert [use.image.source_url for use in saved.pictures.all()] == ["https://pictures.example/new.png"]
    assert [(story.excerpt, story.extra) for story in saved.related_stories.all()] == [("Ana’s", {"shelf": 7})]


def test_import_of_the_same_field_meanwhile_is_chosen(ana, source):
    article = source.say()
    data = ana.open(article)
    source.say(title="The source’s")
    page = ana.send(article, data, title="Ana’s")
    assert disputed(page) == ["title"]
    assert page.context["panels"][0].sides[1][1].startswith("An import, at ")
    ana.choose(page, title="mine")
    assert fresh(article).title == "Ana’s"


def test_import_of_heat_alone_is_no_news_to_the_form(ana, source):
    article = source.say()
    data = ana.open(article)
    source.say(heat=80)
    told = messages(ana.send(article, data, title="Ana’s"))
    assert not [each for each in told if "meanwhile" in each]
    assert (fresh(article).title, fresh(article).heat) == ("Ana’s", 80)


def test_import_after_an_edit_keeps_the_edit_and_says_so(ana, source):
    article = source.say()
    ana.save(article, title="Ana’s")
    source.say(title="The source’s", excerpt="The source’s")
    assert (fresh(article).title, fresh(article).excerpt) == ("Ana’s", "The source’s")
    assert article.source_file.conflicts.get().field == "title"


# --- The comparison itself ----------------------------------------------------------------------


def test_without_a_base_every_difference_is_a_dispute():
    article = make_article(title="Theirs", excerpt="Theirs")
    place = Place.of(with_parts(Article.objects.filter(pk=article.pk)).get(), "live")
    mine = dataclasses.replace(place.document, title="Mine", excerpt="Mine", heat=5)
    comparison = Comparison(Draft("live", None, mine), place)
    assert comparison.conflicts == ("title", "excerpt")
    settled = comparison.settled({"title": "theirs", "excerpt": "mine"})
    assert (settled.title, settled.excerpt) == ("Theirs", "Mine")


def test_stale_save_reads_no_more_for_many_rows(ana, ben):
    """Django's forms check each row with two queries, in any save; the comparison adds the same to few and to many."""
    counts = []
    for number in (1, 6):
        article = make_article(title="Old")
        for _ in range(number):
            add_picture(article)
        data = ana.open(article)
        ben.save(article, title="Ben’s")
        with CaptureQueriesContext(connection) as captured:
            assert disputed(ana.send(article, data, title="Ana’s")) == ["title"]
        counts.append(len(captured) - 2 * number)
    assert counts == [32, 32]
