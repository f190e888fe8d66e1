"""What is covered by enough sites, and what is left."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from coordination.common.intervals import merged
from coordination.web.coverage import covered_by, gaps

START = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def at(*minutes):
    return tuple(START + m * MINUTE for m in minutes)


def test_two_sites_at_once_cover_where_they_overlap():
    sites = [[at(0, 60)], [at(30, 90)], [at(80, 120)]]
    assert covered_by(sites, 1, at(0, 200)) == [at(0, 120)]
    assert covered_by(sites, 2, at(0, 200)) == [at(30, 60), at(80, 90)]
    assert covered_by(sites, 3, at(0, 200)) == []


def test_a_gap_names_who_could_fill_a_part_of_it_and_short_ones_are_left_out():
    found = gaps([at(10, 60), at(65, 90)], at(0, 200), [[at(100, 110)], [at(20, 40)]], 10 * MINUTE)
    assert [(gap.start, gap.end, gap.fillers) for gap in found] == [(*at(0, 10), ()), (*at(90, 200), (0,))]


def test_with_nothing_covered_all_is_one_gap():
    (gap,) = gaps([], at(0, 60), [], MINUTE)
    assert (gap.start, gap.end, gap.minutes) == (*at(0, 60), 60)


intervals = st.lists(
    st.tuples(st.integers(0, 300), st.integers(1, 60)).map(lambda pair: at(pair[0], sum(pair))), max_size=6
).map(merged)


@given(st.lists(intervals, max_size=5), st.integers(1, 3), st.integers(0, 359))
def test_covered_is_where_enough_sites_are(sites, least, minute):
    instant = START + (minute + 0.5) * MINUTE
    count = sum(any(a <= instant < b for a, b in site) for site in sites)
    covered = covered_by(sites, least, at(0, 360))
    assert any(a <= instant < b for a, b in covered) == (count >= least)
    left = gaps(covered, at(0, 360), [], dt.timedelta(seconds=1))
    assert any(gap.start <= instant < gap.end for gap in left) == (count < least)
