"""The three-way merge, by its laws and by example."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from articles.documents import ArticleDocument, ImageRef, RelatedRef
from articles.merging import changed_fields, merge, merge_values, same, take_theirs
from tests.articles.test_documents import articles
from tests.factories import NOON

BASE = ArticleDocument(title="Base", published_at=NOON, excerpt="One.", topics=("AI", "Cars"), heat=1)


def but(**changes) -> ArticleDocument:
    return dataclasses.replace(BASE, **changes)


@settings(max_examples=60, deadline=None)
@given(articles, articles)
def test_the_laws_of_merging(base, other):
    assert not changed_fields(merge(base, other, base).document, other)
    assert not changed_fields(merge(base, base, other).document, other)
    assert not changed_fields(merge(base, other, other).document, other)


def test_the_sources_changes_flow_in_beside_the_editors_own():
    merged = merge(BASE, but(title="Ours"), but(excerpt="Theirs."))
    assert merged.document == but(title="Ours", excerpt="Theirs.")
    assert (merged.taken, merged.kept, merged.conflicts) == (("excerpt",), ("title",), ())


def test_what_both_changed_differently_stays_ours_and_is_a_conflict():
    merged = merge(BASE, but(title="Ours"), but(title="Theirs"))
    assert merged.document.title == "Ours"
    assert merged.conflicts == ("title",)


def test_what_both_changed_alike_is_no_conflict():
    merged = merge(BASE, but(title="Same"), but(title="Same"))
    assert (merged.taken, merged.kept, merged.conflicts) == ((), (), ())


def test_a_topic_the_source_drops_goes_whatever_its_spelling_here():
    base, ours, theirs = but(topics=("ai", "Cars")), but(topics=("AI", "Cars", "Ours")), but(topics=("Cars", "Theirs"))
    result = merge(base, ours, theirs)
    assert (set(result.document.topics), result.conflicts) == ({"Cars", "Ours", "Theirs"}, ())


def images(**widths) -> tuple[ImageRef, ...]:
    return tuple(ImageRef(url=f"https://a.example/{name}", width=width) for name, width in widths.items())


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged", "disputed"),
    [
        ("ab", "abx", "aby", "abxy", False),  # both added
        ("ab", "a", "abc", "ac", False),  # we took one away, they added one
        ("abc", "abcx", "ac", "acx", False),  # they took one away, we added one
        ("abc", "cab", "abcd", "cdab", False),  # we moved one
        ("abc", "abcx", "cba", "cxba", False),  # they did
        ("", "x", "y", "xy", False),
        ("abc", "", "abcd", "d", False),
    ],
)
def test_lists_are_merged_by_their_items(base, ours, theirs, merged, disputed):
    result = merge(but(topics=tuple(base)), but(topics=tuple(ours)), but(topics=tuple(theirs)))
    assert ("".join(result.document.topics), bool(result.conflicts)) == (merged, disputed)


def test_pictures_are_merged_part_by_part():
    base, theirs = but(images=images(one=1, two=2)), but(images=images(one=5, two=2, three=3))
    captioned = dataclasses.replace(base.images[0], title="Ours")
    result = merge(base, but(images=(captioned, base.images[1])), theirs)
    assert result.document.images == (dataclasses.replace(captioned, width=5), *theirs.images[1:])
    assert (result.taken, result.conflicts) == (("images",), ())


def test_a_part_that_both_changed_is_a_conflict_and_the_rest_flows_in():
    result = merge(but(images=images(one=1)), but(images=images(one=2)), but(images=images(one=3, two=2)))
    assert result.document.images == images(one=2, two=2)
    assert (result.taken, result.conflicts) == (("images",), ("images",))


def test_a_picture_we_changed_and_they_took_away_stays_and_is_a_conflict():
    result = merge(but(images=images(one=1, two=2)), but(images=images(one=5, two=2)), but(images=images(three=3)))
    assert {image.url[-3:] for image in result.document.images} == {"one", "ree"}
    assert result.conflicts == ("images",)


def test_a_list_that_says_one_thing_twice_is_not_merged_by_items():
    twice = (*images(one=1), *images(one=1))
    result = merge(but(images=twice), but(images=images(one=2)), but(images=images(two=2)))
    assert (result.document.images, result.conflicts) == (images(one=2), ("images",))


@pytest.mark.parametrize(
    ("ours", "theirs", "merged", "disputed"),
    [
        ("cab", "bac", "cab", True),  # both moved, otherwise
        ("cab", "cab", "cab", False),  # both alike
        ("cab", "abcd", "cdab", False),  # we alone
        ("abcx", "bac", "bacx", False),  # they alone
        ("cabx", "bad", "bxad", False),  # they alone moved what both still have
    ],
)
def test_orders_of_two_people_are_disputed(ours, theirs, merged, disputed):
    sides = [but(topics=tuple(side)) for side in ("abc", ours, theirs)]
    result = merge(*sides, strict=True)
    assert ("".join(result.document.topics), bool(result.conflicts)) == (merged, disputed)
    assert not merge(*sides).conflicts, "a source does not ask"


def test_what_one_took_away_and_the_other_wrote_in_is_disputed_between_two_people():
    sides = but(images=images(one=1, two=2)), but(images=images(two=2)), but(images=images(one=9, two=2))
    result = merge(*sides, strict=True)
    assert (result.document.images, result.conflicts) == (images(two=2), ("images",))
    assert not merge(*sides).conflicts, "what was taken away here stays away"
    left_alone = merge(sides[0], sides[1], but(images=images(one=1, two=2, three=3)), strict=True)
    assert (left_alone.document.images, left_alone.conflicts) == (images(two=2, three=3), ())


def test_unknown_keys_are_merged_one_by_one():
    result = merge(but(extra={"a": 1, "b": 1}), but(extra={"a": 2, "b": 1}), but(extra={"a": 1, "c": 3}))
    assert (result.document.extra, result.conflicts) == ({"a": 2, "c": 3}, ())


def test_another_spelling_of_a_topic_is_no_change():
    assert not changed_fields(BASE, but(topics=("ai", " CARS", "AI")))
    assert changed_fields(BASE, but(topics=("Cars", "AI"))) == ("topics",)


# --- Taking what the source says ----------------------------------------------------------------

numbers = st.sampled_from([None, 1, 2, 3])
pictures = st.lists(
    st.builds(ImageRef, url=st.sampled_from(["/a", "/b", "/c"]), width=numbers, title=st.sampled_from(["", "x", "y"])),
    max_size=4,  # so that some say one thing twice
).map(tuple)
alike = st.builds(  # few values, so that the sides have much in common
    ArticleDocument,
    title=st.sampled_from(["A", "B", "C"]),
    published_at=st.just(NOON),
    topics=st.lists(st.sampled_from(["a", "A", "b", "c", "d"]), max_size=5).map(tuple),
    images=pictures,
    related=st.lists(
        st.builds(RelatedRef, title=st.sampled_from("AB"), web_url=st.sampled_from(["/x", "/y"]), images=pictures),
        max_size=2,
    ).map(tuple),
    extra=st.dictionaries(st.sampled_from("abc"), numbers | st.dictionaries(st.sampled_from("xy"), numbers)),
)
FIELDS = ["title", "topics", "images", "related", "extra"]


def sides(name: str, *documents: ArticleDocument) -> list:
    return [getattr(document, name) for document in documents]


@settings(max_examples=300, deadline=None)
@given(alike, alike, alike, st.sampled_from(FIELDS))
def test_the_laws_of_taking(base, ours, theirs, name):
    before, here, there = sides(name, base, ours, theirs)
    assert same(name, take_theirs(name, before, here, before), here)
    assert same(name, take_theirs(name, before, before, there), there)
    assert same(name, take_theirs(name, before, there, there), there)
    taken = take_theirs(name, before, here, there)
    assert not merge_values(name, before, taken, there)[1], "something is still disputed"
    assert same(name, take_theirs(name, before, taken, there), taken), "taking twice is taking once"


words = st.lists(st.sampled_from("abcde"), max_size=5, unique=True)


@settings(max_examples=200, deadline=None)
@given(words, words, words)
def test_what_one_side_alone_added_or_took_away_survives_a_take(before, here, there):
    base, ours, theirs = map(set, (before, here, there))
    assert set(take_theirs("topics", before, here, there)) == (ours & theirs) | (ours - base) | (theirs - base)


def test_a_value_taken_is_the_sources():
    assert take_theirs("title", "Base", "Ours", "Theirs") == "Theirs"
    assert take_theirs("quality", 1, 2, None) is None


def test_taking_pictures_keeps_the_editors_and_takes_what_is_disputed():
    captioned = dataclasses.replace(images(one=5)[0], title="Ours")
    taken = take_theirs("images", images(one=1), (captioned, *images(ours=9)), images(one=3, theirs=4))
    assert {image.url[-3:]: (image.width, image.title) for image in taken} == {
        "one": (3, "Ours"),
        "urs": (9, ""),
        "irs": (4, ""),
    }


def test_taking_lets_go_of_a_picture_we_changed_and_they_took_away():
    assert take_theirs("images", images(one=1, two=2), images(one=5, two=2), images(two=2)) == images(two=2)


def test_taking_brings_back_a_picture_we_took_away_and_they_changed():
    assert take_theirs("images", images(one=1, two=2), images(two=2), images(one=9, two=2)) == images(one=9, two=2)


def test_taking_where_both_sides_moved_items_has_the_sources_order():
    assert "".join(take_theirs("topics", tuple("abc"), tuple("cabx"), tuple("cba"))) == "cbxa"


def test_unknown_keys_are_taken_one_by_one():
    before, here, there = {"a": 1, "b": 1}, {"a": 2, "b": 2, "ours": 1}, {"b": 1, "theirs": 1}
    assert take_theirs("extra", before, here, there) == {"b": 2, "ours": 1, "theirs": 1}
