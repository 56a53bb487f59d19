"""The table of docs/workflow.md, role by verb by state, walked through HTTP: by the buttons of a form, by forged
requests, at the desk and in bulk. What the table does not have is refused: by a log-in page, by 403, or with an error
that names no story; and nothing has changed then."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from articles import workflow
from articles.models import Article, Event, Revision
from tests.articles.pages import filled
from tests.factories import NOON, make_article, make_provider, make_user

pytestmark = pytest.mark.django_db
DOCS = (Path(__file__).parents[2] / "docs" / "workflow.md").read_text()
LIST = reverse("admin:articles_article_changelist")
BULK = reverse("admin:desk_bulk")
ACT = reverse("admin:desk_act")
SECRET = "Not to be named"
ROLES = ["Managers", "Editors", "author", "other Contributor", "staff without a group", "anonymous"]
GROUPS = {"author": "Contributors", "other Contributor": "Contributors", "staff without a group": ""}


def table() -> dict[str, dict[str, set[str]]]:
    """By role and verb, the states from which it may be done."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in DOCS.splitlines() if line[:1] == "|"]
    [verbs] = [line[1:] for line in lines if line[0] == "role"]
    return {
        line[0]: {
            verb: set(re.findall(r"\w+", cell)) & set(workflow.STANDING)
            for verb, cell in zip(verbs, line[1:], strict=True)
        }
        for line in lines
        if line[0] in ROLES
    }


TABLE = table()
CASES = [(verb, standing) for verb in workflow.VERBS for standing in workflow.STANDING]


def test_the_table_is_whole_and_says_what_the_verbs_say():
    assert TABLE.keys() == set(ROLES)
    for role, verbs in TABLE.items():
        assert verbs.keys() == workflow.VERBS.keys()
        for verb in workflow.VERBS.values():
            is_whose = role in ("Managers", "Editors") or (role == "author" and verb.by_author)
            assert verbs[verb.name] == (verb.sources if is_whose else set()), (role, verb.name)


class Walker:
    """Somebody of a role, logged in, and their stories."""

    def __init__(self, role: str) -> None:
        self.role, self.client, self.user = role, Client(), None
        self.provider = make_provider()
        if role != "anonymous":
            self.user = make_user(GROUPS.get(role, role))
            self.client.force_login(self.user)

    def story(self, standing: str) -> Article:
        """One that the author wrote; to others it is somebody else's."""
        times = {"scheduled": {"publish_at": timezone.now() + timedelta(hours=1)}, "published": {"publish_at": NOON}}
        author = self.user if self.role == "author" else None
        values = {
            "title": SECRET,
            "excerpt": "",
            "status": "published" if standing in times else standing,
            "created_by": author,
            "provider": self.provider,
            **times.get(standing, {}),
        }
        return make_article(public=False, **values)

    def may(self, verb: str, standing: str) -> bool:
        return standing in TABLE[self.role][verb]


@pytest.fixture(params=ROLES)
def walker(request):
    return Walker(request.param)


@pytest.fixture
def form_of():
    """What the form of a story would send, whoever sends it: as an editor is shown it, once for each state."""
    client, forms = Client(), {}
    client.force_login(make_user("Editors"))

    def form_of(article: Article) -> dict:
        standing = workflow.standing(article)
        if standing not in forms:
            forms[standing] = filled(client.get(address(article)))
        of_its_own = {"stem": article.stem, "initial-stem": article.stem, "web_url": article.web_url}
        return forms[standing] | of_its_own

    return form_of


def address(article: Article) -> str:
    return reverse("admin:articles_article_change", args=[article.pk])


def told(standing: str, prefix: str = "") -> dict[str, str]:
    """What verbs could want to know: those that do not do not look. Of what is public only the end is to come."""
    ahead = timezone.localtime(timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    return {f"{prefix}note": "Why", f"{prefix}{'until' if standing == 'published' else 'at'}": ahead}


def everything() -> list:
    """All that a verb leaves behind."""
    rows = Article.objects.order_by("pk").values_list("pk", "status", "version", "publish_at", "unpublish_at", "title")
    return [list(rows), list(Event.objects.values_list("pk")), list(Revision.objects.values_list("pk"))]


def check(walker: Walker, verb: str, article: Article, before: list, response, way: str) -> None:
    case = (way, walker.role, verb, workflow.standing(article))
    if not walker.may(verb, workflow.standing(article)):
        assert everything() == before, case
        assert_refused(walker, response, case)
        return
    walker.client.cookies.pop("messages", None)  # it names the story, as it may
    now = Article.objects.get(pk=article.pk)
    event = Event.objects.get(article=article)
    assert now.status == workflow.VERBS[verb].target, case
    assert (event.verb, event.actor, event.from_status, event.to_status) == (
        *(verb, walker.user),
        *(article.status, now.status),
    ), case


def assert_refused(walker: Walker, response, case: tuple) -> None:
    if response.status_code == 302 and "/login/" in response["Location"]:
        assert walker.role == "anonymous", case
        return
    assert walker.role != "anonymous", case
    if response.status_code in (403, 409):
        assert SECRET not in response.text, case
        return
    told = [str(each) for each in get_messages(response.wsgi_request)] if response.status_code == 302 else []
    walker.client.cookies.pop("messages", None)
    errors = told or [response.json()["message"]]
    assert errors, case
    assert not any(SECRET in error for error in errors), case


# --- The form -----------------------------------------------------------------------------------


@pytest.mark.parametrize("standing", workflow.STANDING)
def test_form_has_exactly_the_buttons_of_the_table_and_they_do_it(walker, standing):
    for verb in workflow.VERBS:
        article = walker.story(standing)
        if verb == next(iter(workflow.VERBS)):  # the buttons are the same for each story of this state
            shown = walker.client.get(address(article))
            buttons = re.findall(r'name="_verb" value="(\w+)"', shown.text) if shown.status_code == 200 else []
            assert set(buttons) == {name for name in workflow.VERBS if walker.may(name, standing)}
        if walker.may(verb, standing):
            before, data = everything(), filled(walker.client.get(address(article)))
            response = walker.client.post(address(article), data | told(standing, "verb-") | {"_verb": verb})
            check(walker, verb, article, before, response, "button")


@pytest.mark.parametrize("standing", workflow.STANDING)
def test_forged_form_does_nothing_that_is_not_in_the_table(walker, form_of, standing):
    for verb in workflow.VERBS:
        if not walker.may(verb, standing):
            article = walker.story(standing)
            before = everything()
            form = form_of(article)
            if walker.role == "staff without a group":
                form["title"] = ["Forged"]  # what one sent comes back
            response = walker.client.post(address(article), form | told(standing, "verb-") | {"_verb": verb})
            check(walker, verb, article, before, response, "forged form")


# --- The desk -----------------------------------------------------------------------------------


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_desk_does_what_is_in_the_table_and_nothing_else(walker, accept):
    for verb, standing in CASES:
        article = walker.story(standing)
        before = everything()
        data = {"verb": verb, "story": f"{article.pk}:{article.version}", **told(standing)}
        response = walker.client.post(ACT, data, headers={"accept": accept})
        check(walker, verb, article, before, response, "desk")


# --- In bulk ------------------------------------------------------------------------------------


def test_action_of_the_list_leads_to_what_is_in_the_table_and_nothing_else(walker):
    for verb, standing in CASES:
        article = walker.story(standing)
        before = everything()
        asked = walker.client.post(LIST, {"action": f"{verb}_selected", "_selected_action": [article.pk]})
        assert everything() == before, (walker.role, verb, standing)
        if walker.may(verb, standing):
            form = filled(asked, "bulk_form")
            response = walker.client.post(BULK, form | told(standing) | {"confirm": "1"})
            check(walker, verb, article, before, response, "action")
        else:
            check(walker, verb, article, before, asked, "action")


def test_forged_bulk_does_what_is_in_the_table_and_nothing_else(walker):
    for verb, standing in CASES:
        article = walker.story(standing)
        before = everything()
        data = {"verb": verb, "stories": f"{article.pk}:{article.version}", "confirm": "1", **told(standing)}
        check(walker, verb, article, before, walker.client.post(BULK, data), "bulk")
