"""The admin of providers."""

import pytest
from django.urls import reverse

from images.models import RemoteImage
from providers.models import Provider, ProviderImage
from tests.articles.pages import filled
from tests.factories import add_picture, make_article, make_image, make_provider, make_related, make_user

pytestmark = pytest.mark.django_db
LIST = reverse("admin:providers_provider_changelist")
ADD = reverse("admin:providers_provider_add")


@pytest.fixture
def client(client):
    client.force_login(make_user("Managers"))
    return client


def submit(client, url: str, **changes):
    return client.post(url, filled(client.get(url), "provider_form") | changes | {"_save": "Save"})


def address(provider, page: str = "change") -> str:
    return reverse(f"admin:providers_provider_{page}", args=[provider.pk])


def names(client, query: str) -> list[str]:
    return [provider.name for provider in client.get(LIST, {"q": query}).context["cl"].result_list]


@pytest.mark.parametrize("typed", ["wired.com", "https://WIRED.com/story?a=b", " wired.com. ", "//wired.com:443"])
def test_domain_is_stored_in_its_one_spelling(client, typed):
    submit(client, ADD, name="Wired", domain=typed)
    assert Provider.objects.get().domain == "wired.com"


def test_text_that_is_no_domain_is_a_form_error(client):
    response = submit(client, ADD, name="Wired", domain="not a domain")
    assert "This is no domain. Write it like wired.com" in response.content.decode()
    assert not Provider.objects.exists()


@pytest.mark.parametrize("address_of_a_machine", ["127.0.0.1", "http://192.168.0.1:8000/", "[::1]"])
def test_ip_address_is_no_domain(client, address_of_a_machine):
    submit(client, ADD, name="Wired", domain=address_of_a_machine)
    assert not Provider.objects.exists()


@pytest.mark.parametrize(("known", "typed"), [("wired.com", "www.wired.com"), ("www.wired.com", "wired.com")])
def test_same_domain_with_www_names_the_provider_that_has_it(client, known, typed):
    make_provider(name="Wired", domain=known)
    page = submit(client, ADD, name="Wired again", domain=typed).content.decode()
    assert f"There is already the provider ‘Wired’ with {known}." in page
    assert Provider.objects.count() == 1


def test_other_name_that_is_another_providers_name_is_refused(client):
    make_provider(name="Wired", domain="wired.com")
    page = submit(client, ADD, name="Else", domain="else.example", other_names="wired").content.decode()
    assert "‘wired’ is the name of another provider, wired.com." in page


@pytest.mark.parametrize("has", ["story", "related story", "nothing"])
def test_domain_stays_once_there_are_stories(client, has):
    provider = make_provider(domain="wired.com")
    if has == "story":
        make_article(provider=provider, public=False)
    elif has == "related story":
        make_related(make_article(), provider=provider)
    submit(client, address(provider), name="New", domain="other.example")
    provider.refresh_from_db()
    assert (provider.name, provider.domain) == ("New", "other.example" if has == "nothing" else "wired.com")


def test_form_links_to_the_site_only_when_there_is_a_page(client):
    public, hidden = make_provider(), make_provider()
    make_article(provider=public)
    make_article(provider=hidden, public=False)
    assert f'href="{public.get_absolute_url()}"' in client.get(address(public)).content.decode()
    assert f'href="{hidden.get_absolute_url()}"' not in client.get(address(hidden)).content.decode()


def test_list_cannot_be_filtered_by_columns(client):
    assert client.get(LIST, {"articles__secured__startswith": "Q"}).status_code == 400


def test_domain_that_is_taken_is_a_form_error_in_any_spelling(client):
    make_provider(domain="wired.com")
    assert submit(client, ADD, name="Wired", domain="HTTPS://wired.com/").status_code == 200
    assert Provider.objects.count() == 1


def test_other_names_are_edited_a_line_each(client):
    provider = make_provider(other_names=["The Wire"])
    assert filled(client.get(address(provider)), "provider_form")["other_names"] == ["The Wire"]
    submit(client, address(provider), other_names="The Wire\r\nWired UK\r\n")
    provider.refresh_from_db()
    assert provider.other_names == ["The Wire", "Wired UK"]


def test_unchanged_form_leaves_the_source_spelling_alone(client):
    provider = make_provider(description="One\nTwo\n", other_names=["A", "A", " B "])
    submit(client, address(provider))
    provider.refresh_from_db()
    assert (provider.description, provider.other_names) == ("One\nTwo\n", ["A", "A", " B "])


def test_pasted_logo_address_waits_to_be_fetched(client):
    provider = make_provider()
    row = {"logos-TOTAL_FORMS": "1", "logos-0-address": "https://wired.com/logo.png"}
    submit(client, address(provider), **row)
    assert provider.logos.get().image.state == RemoteImage.State.PENDING


def test_list_counts_stories_and_related_stories(client):
    provider = make_provider()
    other = make_article()
    for _ in range(2):
        make_article(provider=provider, public=False)
        make_related(other, provider=provider)
    make_related(other, provider=provider)
    page = client.get(LIST, {"q": provider.domain}).content.decode()
    assert f'<a href="/admin/articles/article/?provider={provider.pk}">2</a>' in page
    assert '<td class="field-related">3</td>' in page


@pytest.mark.parametrize("query", ["Wired", "wired.com", "tidings", "dépêche"])
def test_search_knows_name_domain_and_other_names(client, query):
    make_provider(name="Wired", domain="wired.com", other_names=["The Tidings", "La dépêche"])
    make_provider(name="Else")
    assert names(client, query) == ["Wired"]


def test_query_count_does_not_grow_with_the_rows(client, django_assert_num_queries):
    def add_row():
        provider = make_provider()
        ProviderImage.objects.create(provider=provider, image=make_image())
        make_related(make_article(provider=provider), provider=provider)

    add_row()
    client.get(LIST)
    with django_assert_num_queries(8):
        client.get(LIST)
    for _ in range(9):
        add_row()
    with django_assert_num_queries(8):
        client.get(LIST)


def test_provider_with_stories_cannot_be_deleted_even_by_who_may(client):
    client.force_login(make_user(is_superuser=True))
    provider = make_article().provider
    page = client.post(address(provider, "delete"), {"post": "yes"}).content.decode()
    assert "would require deleting the following protected related objects" in page
    assert Provider.objects.filter(pk=provider.pk).exists()


def test_manager_deletes_a_provider_with_nothing_left(client):
    provider = make_provider()
    assert client.post(address(provider, "delete"), {"post": "yes"}).status_code == 302
    assert not Provider.objects.filter(pk=provider.pk).exists()


def test_editor_may_not_delete_and_contributor_may_only_look(client):
    provider = make_provider()
    client.force_login(make_user("Editors"))
    assert client.post(address(provider, "delete"), {"post": "yes"}).status_code == 403
    client.force_login(make_user("Contributors"))
    assert client.get(address(provider)).status_code == 200
    assert client.post(address(provider), {"name": "New"}).status_code == 403
    assert Provider.objects.filter(pk=provider.pk, name=provider.name).exists()


# --- All its pictures -------------------------------------------------------------------------------


def test_all_pictures_are_taken_down_for_a_reason_and_allowed_again(client):
    provider = make_provider()
    image = add_picture(make_article(provider=provider)).image
    pictures = address(provider, "pictures")
    assert f'href="{pictures}">Take all its pictures down' in client.get(address(provider)).text
    assert "1 address" in client.get(pictures).text
    response = client.post(pictures, {"reason": "They <b>ask</b> for it."}, follow=True)
    assert "Taken down: 1 address." in response.text
    assert "“They &lt;b&gt;ask&lt;/b&gt; for it.”" in response.text
    image.refresh_from_db()
    assert image.state == RemoteImage.State.TAKEN_DOWN
    assert "Allow its pictures again" in response.text
    client.post(pictures, {"reason": "A mistake."})
    image.refresh_from_db()
    assert (image.state, Provider.objects.get(pk=provider.pk).no_pictures) == (RemoteImage.State.PENDING, "")


def test_without_a_reason_nothing_is_taken_down(client):
    provider = make_provider()
    add_picture(make_article(provider=provider))
    response = client.post(address(provider, "pictures"), {"reason": " "})
    assert "This field is required." in response.text
    assert RemoteImage.objects.get().state == RemoteImage.State.CACHED


def test_who_may_not_take_pictures_down_cannot_take_down_a_providers(client):
    client.force_login(make_user("Contributors"))
    provider = make_provider()
    add_picture(make_article(provider=provider))
    for method in (client.get, client.post):
        assert method(address(provider, "pictures"), {"reason": "Because."}).status_code == 403
    assert "Take all its pictures down" not in client.get(address(provider)).text
    assert RemoteImage.objects.get().state == RemoteImage.State.CACHED
