"""The list of source files, and the page on which conflicts are settled."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from articles.admin.sides import side_by_side
from articles.models import Article, Conflict, SourceFile
from tests.articles.pages import filled, messages
from tests.factories import (
    add_picture,
    make_article,
    make_conflict,
    make_image,
    make_provider,
    make_source,
    make_topic,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("logged_in")]
LIST = reverse("admin:articles_sourcefile_changelist")


def page_of(record) -> str:
    return reverse("admin:articles_sourcefile_change", args=[record.source_file.pk])


def page(client, record) -> str:
    response = client.get(page_of(record))
    assert response.status_code == 200
    return response.content.decode()


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def press(client, record, button: str, field: str, shown: dict | None = None):
    """Press `keep` or `take` of a field (`*`: of all) on the page, opened now or as it was `shown`."""
    shown = shown or filled(client.get(page_of(record)), "settle")
    return client.post(page_of(record), shown | {button: field}, follow=True)


# --- The list -----------------------------------------------------------------------------------


def paths(client, **parameters) -> list[str]:
    response = client.get(LIST, parameters)
    assert response.status_code == 200
    return [source.path for source in response.context["cl"].result_list]


def test_list_links_each_file_to_its_page_and_to_what_it_describes(client):
    records = [make_article(title="A &amp; B"), make_provider(name="Wired"), make_topic("Space")]
    for record in records:
        make_source(record)
    html = client.get(LIST).content.decode()
    for record, name in zip(records, ["A &amp; B", "Wired", "Space"], strict=True):
        form = reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_change", args=[record.pk])
        assert f'<a href="{form}">{name}</a>' in html
        assert f'href="{page_of(record)}' in html


def test_list_has_a_badge_on_what_differs_and_can_be_narrowed_to_it(client):
    article = make_article()
    source = make_conflict(article, "title").source
    make_conflict(article, "excerpt")
    make_source(make_article(), path="_news/agreed.md")
    badges = re.findall(r'class="badge badge-differs" href="([^"]+)">([^<]+)<', client.get(LIST).content.decode())
    assert badges == [(page_of(article), "Source differs in 2 fields")]
    assert paths(client, source="differs") == [source.path]
    assert len(paths(client)) == 2


def test_list_is_searched_by_path(client):
    make_source(make_article(), path="_news/2026-03-02-tram.md")
    make_source(make_article(), path="_news/other.md")
    assert paths(client, q="tram") == ["_news/2026-03-02-tram.md"]


def test_list_never_reads_the_texts(client, django_assert_num_queries):
    def add_rows():
        for record in (make_article(), make_provider(), make_topic()):
            make_source(record, text="Sealed")
            make_conflict(record, "title")

    add_rows()
    client.get(LIST)
    with django_assert_num_queries(6) as captured:
        client.get(LIST)
    assert not [query["sql"] for query in captured.captured_queries if '"articles_sourcefile"."text"' in query["sql"]]
    for _ in range(5):
        add_rows()
    with django_assert_num_queries(6):
        assert len(paths(client)) == 18


def test_list_is_filtered_by_its_own_filters_only(client):
    assert client.get(LIST, {"text__startswith": "S"}).status_code == 400


# --- The page -----------------------------------------------------------------------------------


def test_page_shows_what_was_what_is_and_what_the_source_says(client):
    article = make_article(title="Tram opens late", quality=70)
    make_conflict(article, "title", base="Tram opens", theirs="It&#8217;s opening")
    make_conflict(article, "quality", base=None, theirs=50)
    shown = text(page(client, article))
    assert "Title Since" in shown
    assert "What both once said Tram opens Ours, as it is here Tram opens late" in shown
    assert "What the source says now Tram opens It’s opening" in shown  # the old one struck out
    assert "Quality Since" in shown
    assert "What both once said Nothing Ours, as it is here 70 What the source says now 50" in shown


def test_page_of_a_file_that_does_not_differ_says_so(client):
    article = make_article()
    make_source(article)
    html = page(client, article)
    assert "Nothing is left to settle here" in html
    assert 'id="settle"' not in html


def test_hostile_values_are_text(client):
    article = make_article(title="<script>alert(1)</script>", extra={"<b>": "<script>alert(4)</script>"})
    make_conflict(article, "title", base="<script>alert(2)</script>", theirs="&lt;script&gt;alert(3)&lt;/script&gt;")
    make_conflict(article, "extra", base=None, theirs={"<b>": "x"})
    html = page(client, article)
    assert "<script>alert" not in html
    assert "<b>" not in html


def test_sealed_text_is_not_on_the_page(client):
    article = make_article(title="Ours", secured="c2VhbGVk;aXY=")
    make_source(article, text='secured: "c2VhbGVk;aXY="')
    make_conflict(article, "title")
    assert "c2VhbGVk" not in page(client, article)


def test_page_tells_what_a_take_makes_of_a_list_that_editors_added_to(client):
    article = make_article(topics=[make_topic("Ours")])
    add_picture(article, make_image(source_url="https://p.example/both.png"), width=2)
    add_picture(article, make_image(source_url="https://p.example/ours.png"))
    both = {"url": "https://p.example/both.png"}
    make_conflict(article, "images", base=[both | {"width": 1}], theirs=[both | {"width": 3}])
    shown = text(page(client, article))
    outcome = shown.partition("What taking theirs would make of it")[2]
    assert "url: https://p.example/both.png width: 3 width: 1 url: https://p.example/ours.png" in outcome


def test_query_count_of_the_page_does_not_grow_with_its_fields(client, django_assert_num_queries):
    article = make_article(title="Ours")
    make_conflict(article, "title")
    page(client, article)
    with django_assert_num_queries(11):
        client.get(page_of(article))
    for field in ("excerpt", "category", "type", "body"):
        make_conflict(article, field)
    with django_assert_num_queries(11):
        client.get(page_of(article))


@pytest.mark.parametrize("key", ["999999", "x", "9" * 30, "%00"])
def test_page_of_a_file_that_is_not_there_is_404(client, key):
    address = f"{LIST}{key}/change/"
    assert client.get(address).status_code == 404
    assert client.post(address, {"take": "title"}).status_code == 404


def test_every_control_has_a_name_of_its_own(client):
    article = make_article()
    make_conflict(article, "title")
    make_conflict(article, "web_url", base=None, theirs="https://theirs.example/")
    buttons = [
        text(button) for button in re.findall(r"<button[^>]*name=\"(?:keep|take)\".*?</button>", page(client, article))
    ]
    assert len(buttons) == len(set(buttons)) == 6
    assert "Take theirs : web address" in buttons


# --- Settling -----------------------------------------------------------------------------------


def test_keeping_ours(client, editor):
    article = make_article(title="Ours")
    make_conflict(article, "title")
    response = press(client, article, "keep", "title")
    assert messages(response) == ["Kept as it is here: title."]
    assert "Nothing is left to settle" in response.content.decode()
    article.refresh_from_db()
    assert (article.title, article.version, article.events.get().actor) == ("Ours", 1, editor)


def test_taking_theirs(client, editor):
    article = make_article(title="Ours", excerpt="Ours")
    make_conflict(article, "title", theirs="Theirs")
    make_conflict(article, "excerpt", theirs="Theirs")
    response = press(client, article, "take", "title")
    assert messages(response) == ["Taken from the source: title."]
    article.refresh_from_db()
    assert (article.title, article.excerpt, article.version) == ("Theirs", "Ours", 2)
    assert [conflict.field for conflict in Conflict.objects.all()] == ["excerpt"]


@pytest.mark.parametrize(("button", "title"), [("keep", "Ours"), ("take", "Theirs")])
def test_all_fields_at_once(client, button, title):
    article = make_article(title="Ours", excerpt="Ours")
    make_conflict(article, "title", theirs="Theirs")
    make_conflict(article, "excerpt", theirs="Theirs")
    press(client, article, button, "*")
    article.refresh_from_db()
    assert (article.title, article.excerpt) == (title, title)
    assert not Conflict.objects.exists()
    assert article.events.count() == 1


def test_taking_a_list_keeps_what_the_editor_added(client):
    article = make_article(topics=[make_topic("Ours")])
    add_picture(article, make_image(source_url="https://p.example/both.png"), width=2)
    add_picture(article, make_image(source_url="https://p.example/ours.png"))
    both = {"url": "https://p.example/both.png"}
    make_conflict(article, "images", base=[both | {"width": 1}], theirs=[both | {"width": 3}])
    press(client, article, "take", "images")
    assert [(use.image.source_url[-8:], use.width) for use in article.pictures.all()] == [
        ("both.png", 3),
        ("ours.png", None),
    ]


def test_provider_and_topic_are_settled_and_their_history_has_the_other_side(client):
    provider, topic = make_provider(name="Ours"), make_topic("Space", description="Ours too")
    make_conflict(provider, "name", theirs="Theirs")
    make_conflict(topic, "description", theirs="Theirs")
    press(client, provider, "take", "name")
    press(client, topic, "keep", "description")
    provider.refresh_from_db()
    topic.refresh_from_db()
    assert (provider.name, topic.description) == ("Theirs", "Ours too")
    assert [(entry.object_repr, entry.change_message) for entry in LogEntry.objects.order_by("pk")] == [
        ("Theirs", "Taken from the source: name. Ours was “Ours”."),
        ("Space", "Kept as it is here: description. Theirs was “Theirs”."),
    ]


def test_take_that_a_rule_refuses_is_told_and_changes_nothing(client):
    make_provider(domain="taken.example", name="Other")
    provider = make_provider(domain="ours.example")
    make_conflict(provider, "domain", base="base.example", theirs="taken.example")
    response = press(client, provider, "take", "domain")
    assert messages(response) == ["domain: taken.example is already Other's. Nothing was changed."]
    provider.refresh_from_db()
    assert (provider.domain, Conflict.objects.count()) == ("ours.example", 1)
    assert not LogEntry.objects.exists()


def test_take_that_the_database_refuses_is_told_and_changes_nothing(client):
    article = make_article(title="Ours")
    make_conflict(article, "title", theirs="")
    assert messages(press(client, article, "take", "title")) == [
        "The database refuses this value. Nothing was changed.",
    ]
    article.refresh_from_db()
    assert (article.title, article.version, article.revisions.count()) == ("Ours", 1, 0)


def test_conflict_in_which_both_say_the_same_by_now_can_only_be_let_go(client):
    provider = make_provider(name="Theirs")
    make_conflict(provider, "name", theirs="Theirs")
    html = page(client, provider)
    assert "Nothing is left to take" in html
    assert 'name="take"' not in html
    press(client, provider, "keep", "name")
    assert not Conflict.objects.exists()


def test_second_editor_to_press_is_told(client):
    article = make_article(title="Ours")
    make_conflict(article, "title", theirs="Theirs")
    shown = filled(client.get(page_of(article)), "settle")
    press(client, article, "keep", "title")
    response = press(client, article, "take", "title", shown)
    assert messages(response) == [
        "This has changed since you opened the page, or somebody has settled it. Nothing was changed."
    ]
    article.refresh_from_db()
    assert (article.title, article.events.count()) == ("Ours", 1)


def test_value_that_came_after_the_page_was_opened_is_not_taken_unseen(client):
    article = make_article(title="Ours")
    make_conflict(article, "title", theirs="Theirs")
    shown = filled(client.get(page_of(article)), "settle")
    Conflict.objects.update(theirs="Newer")
    [told] = messages(press(client, article, "take", "title", shown))
    assert told.startswith("This has changed")
    article.refresh_from_db()
    assert article.title == "Ours"


@pytest.mark.parametrize("data", [{}, {"take": "title"}, {"take": "*"}, {"take": "nonsense"}, {"keep": ""}])
def test_request_that_saw_nothing_settles_nothing(client, data):
    article = make_article(title="Ours")
    make_conflict(article, "title", theirs="Theirs")
    assert messages(client.post(page_of(article), data, follow=True))[0].startswith("This has changed")
    article.refresh_from_db()
    assert (article.title, Conflict.objects.count()) == ("Ours", 1)


# --- Who may ------------------------------------------------------------------------------------


def a_form_for(record) -> dict:
    """The fields of an editor's page, whoever sends them."""
    client = Client()
    client.force_login(make_user("Editors"))
    return filled(client.get(page_of(record)), "settle")


@pytest.mark.parametrize("button", ["keep", "take"])
@pytest.mark.parametrize("role", ["anonymous", "staff", "Contributors", "Editors"])
@pytest.mark.parametrize("whose", ["own", "other"])
@pytest.mark.parametrize("status", ["draft", "published"])
def test_who_may_settle_a_story_with_a_forged_request(role, whose, status, button):
    client, user = Client(), None
    if role != "anonymous":
        user = make_user(role if role in ("Contributors", "Editors") else "")
        client.force_login(user)
    author = user if whose == "own" else None
    article = make_article(title="Ours", public=status == "published", status=status, created_by=author)
    make_conflict(article, "title", theirs="Theirs")
    before = Article.objects.filter(pk=article.pk).values().get()
    response = client.post(page_of(article), a_form_for(article) | {button: "title"})
    may = role == "Editors" or (role == "Contributors" and whose == "own" and status == "draft")
    assert Conflict.objects.exists() != may
    if may:
        assert (response.status_code, response.url) == (302, page_of(article))
    else:
        assert response.status_code == (302 if role == "anonymous" else 403)
        assert Article.objects.filter(pk=article.pk).values().get() == before
        assert not article.events.exists()


@pytest.mark.parametrize("make", [make_provider, make_topic])
@pytest.mark.parametrize(("role", "may"), [("", False), ("Contributors", False), ("Editors", True)])
def test_who_may_settle_a_provider_or_a_topic(make, role, may):
    client, record = Client(), make()
    make_conflict(record, "name", theirs="Theirs")
    client.force_login(make_user(role))
    response = client.post(page_of(record), a_form_for(record) | {"take": "name"})
    assert response.status_code == (302 if may else 403)
    record.refresh_from_db()
    assert (record.name == "Theirs") == may


def test_who_may_not_settle_sees_the_page_without_buttons(client):
    article = make_article(title="Ours")
    make_conflict(article, "title", theirs="Theirs")
    client.force_login(make_user("Contributors"))
    html = page(client, article)
    assert "Theirs" in html
    assert "not yours to settle" in html
    assert not re.search(r"name=\"(keep|take|seen-)", html)


def test_staff_without_rights_see_neither_list_nor_page_nor_notice(client):
    article = make_article()
    make_conflict(article, "title")
    client.force_login(make_user())
    assert client.get(LIST).status_code == 403
    assert client.get(page_of(article)).status_code == 403


def test_who_may_see_files_but_no_topics_does_not_see_a_topics_page():
    from django.contrib.auth.models import Permission

    topic, user = make_topic(), make_user()
    make_conflict(topic, "name")
    user.user_permissions.add(Permission.objects.get(codename="view_sourcefile"))
    client = Client()
    client.force_login(user)
    assert client.get(LIST).status_code == 200
    assert client.get(page_of(topic)).status_code == 403


def test_request_without_a_token_is_refused():
    article = make_article(title="Ours")
    make_conflict(article, "title", theirs="Theirs")
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("Editors"))
    data = a_form_for(article) | {"take": "title", "csrfmiddlewaretoken": ""}
    assert client.post(page_of(article), data).status_code == 403
    assert Conflict.objects.exists()


@pytest.mark.parametrize("page", ["add", "delete"])
def test_nobody_adds_or_deletes_source_files(client, page):
    client.force_login(make_user(is_superuser=True))
    source = make_source(make_article())
    args = [source.pk] if page == "delete" else []
    assert client.post(reverse(f"admin:articles_sourcefile_{page}", args=args), {"post": "yes"}).status_code == 403
    assert SourceFile.objects.exists()


# --- Side by side -------------------------------------------------------------------------------


def marked(name: str, base, value) -> list[str]:
    _, shown = side_by_side(name, base, value)
    return [piece.text for block in shown for line in block for piece in line if piece.is_changed]


def whole(name: str, *values) -> list[str]:
    return [
        "|".join("".join(piece.text for piece in line if not piece.is_gone) for block in shown for line in block)
        for shown in side_by_side(name, *values)
    ]


@pytest.mark.parametrize(
    ("name", "base", "value", "changed"),
    [
        ("title", "The tram opens", "The tram opens late", ["late"]),
        ("title", "Same", "Same", []),
        ("title", "One space", "One  space", ["  "]),
        ("title", None, "New", []),
        ("title", "Old", None, []),
        ("quality", 50, 70, ["70"]),
        ("topics", ["AI", "Sea"], ["Sea", "Sky"], ["Sky"]),
        ("extra", {"a": 1, "b": {"c": [2]}}, {"a": 1, "b": {"c": [3]}}, ["b.c 1: 3"]),
        ("images", [{"url": "/a", "width": 1}], [{"url": "/b", "width": 1}], ["url: /b", "width: 1"]),
        ("related", [{"title": "A", "webUrl": "/a"}], [{"title": "B", "webUrl": "/a"}], ["title: B"]),
    ],
)
def test_what_differs_from_the_base_is_marked(name, base, value, changed):
    assert marked(name, base, value) == changed


@pytest.mark.parametrize(
    ("name", "base", "value", "gone"),
    [
        ("title", "The tram opens late", "The tram opens", ["late"]),
        ("title", "The old tram", "The new tram", ["old"]),
        ("title", "Same", "Same", []),
        ("title", None, "New", []),
        ("title", "Old", None, []),
        ("quality", 50, 70, ["50"]),
        ("topics", ["AI", "Sea"], ["Sea", "Sky"], ["AI"]),
        ("extra", {"a": 1, "b": 2}, {"a": 1, "b": 3}, ["b: 2"]),
        ("images", [{"url": "/a", "width": 1}], [{"url": "/b", "width": 1}], ["url: /a", "width: 1"]),
        ("related", [{"title": "A", "webUrl": "/a"}], [{"title": "B", "webUrl": "/a"}], ["title: A"]),
    ],
)
def test_what_is_no_longer_there_is_struck_out(name, base, value, gone):
    _, shown = side_by_side(name, base, value)
    struck = [piece.text for block in shown for line in block for piece in line if piece.is_gone]
    assert [text for text in struck if text.strip()] == gone


def test_text_is_shown_as_readers_see_it():
    assert whole("title", "It&#8217;s", "It&#8217;s new") == ["It’s", "It’s new"]
    assert whole("published_at", "2026-03-02T12:00:00Z", "2026-03-03T12:00:00Z")[0] == "2 Mar 2026, 12:00 UTC"


def test_sides_that_readers_would_see_alike_are_shown_as_they_are_spelt():
    assert whole("title", "It’s", "It&#8217;s", "It is") == ["It’s", "It&#8217;s", "It is"]
    times = ["2026-03-02T12:00:00Z", "2026-03-02T12:00:01Z"]
    assert whole("published_at", *times) == times


def test_long_text_is_compared_by_lines_and_a_very_long_one_by_where_it_begins_and_ends_to_differ():
    lines = [f"word {number} of the text\n" for number in range(1000)]
    changed = [line.replace("word 500", "new 500") for line in reversed(lines)]
    assert marked("body", "".join(lines), "".join(lines).replace("word 7 ", "new 7 ")) == ["new"]
    assert "new 500 of the text" in "".join(marked("body", "".join(lines), "".join(changed)))
    alike, other = [f"same {number}\n" for number in range(5000)], ["x\n", "y\n"]
    both = "".join(alike), "".join([*alike[:9], *other, *reversed(alike[9:-1]), alike[-1]])
    assert marked("body", *both) == ["".join([*other, *reversed(alike[9:-1])]).strip()]
