"""Which story comes first. No database: the formula and the choice are plain functions."""

from datetime import UTC, datetime, timedelta

import pytest

from articles.ranking import UNSCORED, Formula, illustrated_first, without_repeats

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
FORMULA = Formula(quality_weight=1.0, heat_weight=0.5, half_life=24)


def hours(number: float) -> datetime:
    return NOON - timedelta(hours=number)


def test_points_are_the_weighted_mean_of_quality_and_heat():
    assert FORMULA.points(90, 30) == 70
    assert Formula(0, 1, 24).points(90, 30) == 30


@pytest.mark.parametrize("heat", [None, -1])
def test_story_that_was_never_scored_for_heat_is_as_good_as_its_quality(heat):
    assert FORMULA.points(90, heat) == 90


def test_story_of_which_nothing_is_known_is_neither_first_nor_last():
    assert FORMULA.points(None, -1) == UNSCORED
    assert FORMULA.points(10, None) < UNSCORED < FORMULA.points(90, None)


def test_a_story_is_worth_half_after_a_half_life():
    assert FORMULA.rank(80, None, hours(24)) == pytest.approx(FORMULA.rank(40, None, hours(0)))
    assert FORMULA.rank(80, None, hours(23)) > FORMULA.rank(40, None, hours(0)) > FORMULA.rank(80, None, hours(25))


@pytest.mark.parametrize("quality", [0, -50])
def test_worst_stories_grow_old_like_all_others(quality):
    assert FORMULA.rank(quality, None, hours(24)) == pytest.approx(FORMULA.rank(quality, None, hours(0)) - 1)


def test_best_with_a_picture_leads_and_the_others_keep_their_order():
    assert illustrated_first([1, 2, 3, 4], {3, 4}.__contains__, 3) == [3, 1, 2]
    assert illustrated_first([1, 2], set().__contains__, 3) == [1, 2]
    assert illustrated_first([], bool, 3) == []


def test_no_part_repeats_what_is_shown_or_another_part_has():
    assert without_repeats([[1, 2, 3], [2, 3, 4, 5]], shown=[1], count=2) == [[2, 3], [4, 5]]
