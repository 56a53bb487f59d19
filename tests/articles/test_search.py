import pytest

from articles.models import Article
from articles.search import MAX_LENGTH, MAX_WORDS, clean, search
from tests.factories import make_article, make_provider, make_topic

pytestmark = pytest.mark.django_db


def found(query: str) -> list[str]:
    return [story.title for story in search(Article.objects.all(), query)]


@pytest.mark.parametrize("query", ["whales", "WHALES", "strait", "saltmarsh", "oceans", "  whales\tstrait ", "hal"])
def test_word_is_looked_for_in_title_excerpt_provider_and_topics(query):
    make_article(
        title="Whales changed their song",
        excerpt="Silence in the strait.",
        provider=make_provider(name="Saltmarsh Journal"),
        topics=[make_topic("Oceans")],
    )
    make_article(title="Something else")
    assert found(query) == ["Whales changed their song"]


def test_every_word_has_to_occur_but_each_where_it_likes():
    make_article(title="Whales sing", topics=[make_topic("Oceans")])
    assert found("oceans whales") == ["Whales sing"]
    assert found("oceans trams") == []


def test_story_with_several_fitting_topics_is_found_once():
    make_article(title="One", topics=[make_topic("Sea life"), make_topic("Sea ports")])
    assert found("sea") == ["One"]


def test_without_words_nothing_is_filtered_out():
    make_article(title="One")
    assert found(" \0 ") == ["One"]


def test_signs_that_mean_something_to_databases_are_taken_literally():
    make_article(title="100% of it")
    make_article(title="100 of it")
    assert found("100%") == ["100% of it"]
    assert found("_") == []


@pytest.mark.parametrize(
    "query", ["don't", "don’t", "don&#8217;t", "Tesla's", "Tesla’s", '"now"', "“now”", "R&D", "r&amp;d"]
)
def test_word_is_found_however_it_is_typed(query):
    make_article(title="Don&#8217;t wait for Tesla’s van", excerpt="“Now”,&nbsp;says R&amp;D.")
    make_article(title="Something else")
    assert len(found(query)) == 1


@pytest.mark.parametrize("query", ["8217", "nbsp", "amp", "#8217"])
def test_code_of_a_sign_is_no_word_of_the_story(query):
    make_article(title="Don&#8217;t wait", excerpt="Now,&nbsp;says R&amp;D.")
    assert found(query) == []


def test_name_is_found_by_the_signs_it_is_written_with():
    make_article(title="One", provider=make_provider(name="Tom’s Hardware"), topics=[make_topic("Dogs’ life")])
    assert found("tom’s") == ["One"]
    assert found("dogs’") == ["One"]


def test_it_narrows_the_stories_it_is_given():
    make_article(title="Public whale")
    make_article(title="Secret whale", public=False)
    assert [story.title for story in search(Article.objects.published(), "whale")] == ["Public whale"]


def test_query_is_capped_and_cleaned():
    assert clean("a\0b \ud800c\n d") == "a b c d"
    assert len(clean("x" * 1000)) == MAX_LENGTH


def test_more_words_than_the_limit_are_not_looked_for():
    words = [f"w{number}" for number in range(MAX_WORDS)]
    make_article(title=" ".join(words))
    assert len(found(" ".join([*words, "unknown"]))) == 1


def test_search_page_repeats_the_query_and_says_when_nothing_is_found(client):
    text = client.get("/search/", {"q": 'no "such" <thing>'}).text
    assert "Nothing found for “no &quot;such&quot; &lt;thing&gt;”." in text
    assert 'value="no &quot;such&quot; &lt;thing&gt;"' in text


def test_search_without_a_query_explains_itself(client):
    make_article(title="Not listed")
    text = client.get("/search/").text
    assert "What are you looking for?" in text
    assert "Not listed" not in text


def test_further_pages_of_a_search_keep_the_query(client):
    for _ in range(25):
        make_article(title="Tide & time")
    text = client.get("/search/", {"q": "tide &"}).text
    assert 'href="?q=tide+%26&amp;page=2"' in text
    assert len(client.get("/search/?q=tide+%26&page=2").context["page"]) == 1
