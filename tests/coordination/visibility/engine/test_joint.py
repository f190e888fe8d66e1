"""Joint windows and their segments, against counting by hand."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordination.visibility.engine.joint import JointTable, joint_windows
from coordination.visibility.engine.segments import segments_of
from coordination.visibility.engine.table import WindowTable

START = 61366.0
STEP = 1.0 / 1024.0  # a fraction of a day that doubles hold exactly: windows meet where they are meant to
SLOTS = 40
SITES = np.array([7, 7, 2, 3, 9])  # the first two telescopes share a mountain

windows_of_a_test = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, SITES.size - 1), st.integers(0, SLOTS - 1), st.integers(1, 15)),
    max_size=40,
)


def table_of(rows) -> WindowTable:
    """Windows from (target, telescope, first slot, number of slots)."""
    target, telescope, first, count = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    start, end = START + first * STEP, START + (first + count) * STEP
    zeros = np.zeros(target.size, dtype=np.int64)
    return WindowTable(target, telescope, zeros.astype("datetime64[D]"), start, end, zeros, zeros)


def in_view(rows, target: int) -> np.ndarray:
    """Which telescopes (n, slots) have a target in view, slot by slot."""
    seen = np.zeros((SITES.size, SLOTS + 16), dtype=bool)
    for of, telescope, first, count in rows:
        if of == target:
            seen[telescope, first : first + count] = True
    return seen


def site_counts(seen: np.ndarray) -> np.ndarray:
    return np.sum([seen[site == SITES].any(axis=0) for site in np.unique(SITES)], axis=0)


def runs(holds: np.ndarray) -> list[tuple[float, float]]:
    """Maximal runs of slots as times."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], holds.astype(int), [0]])))
    return [(START + a * STEP, START + b * STEP) for a, b in edges.reshape(-1, 2)]


def of_target(joint: JointTable, target: int) -> list[tuple[float, float]]:
    mine = joint.target == target
    return list(zip(joint.start_tt_mjd[mine].tolist(), joint.end_tt_mjd[mine].tolist(), strict=True))


@given(rows=windows_of_a_test)
def test_joint_windows_are_the_maximal_runs_with_enough_sites(rows) -> None:
    found = joint_windows(table_of(rows), SITES, [1, 2, 3, 4, 5])
    for sites, joint in zip([1, 2, 3, 4, 5], found, strict=True):
        for target in range(3):
            assert of_target(joint, target) == runs(site_counts(in_view(rows, target)) >= sites)
        assert np.all(joint.end_tt_mjd > joint.start_tt_mjd)
        assert np.all(np.diff(joint.target) >= 0)


@given(rows=windows_of_a_test, sites=st.integers(1, 3))
def test_segments_fill_joint_windows_and_name_all_who_can_observe(rows, sites) -> None:
    table = table_of(rows)
    (joint,) = joint_windows(table, SITES, [sites])
    segments = segments_of(joint, table, SITES.size)
    for k in range(joint.n):
        mine = np.flatnonzero(segments.joint == k)
        assert segments.start_tt_mjd[mine[0]] == joint.start_tt_mjd[k]
        assert segments.end_tt_mjd[mine[-1]] == joint.end_tt_mjd[k]
        assert np.array_equal(segments.start_tt_mjd[mine[1:]], segments.end_tt_mjd[mine[:-1]])
        seen = in_view(rows, int(joint.target[k]))
        for segment in mine:
            first, last = (
                round((times[segment] - START) / STEP) for times in (segments.start_tt_mjd, segments.end_tt_mjd)
            )
            assert last > first
            for slot in range(first, last):
                assert segments.members(segment) == np.flatnonzero(seen[:, slot]).tolist()
        for one, next_one in itertools.pairwise(mine):
            assert segments.members(one) != segments.members(next_one)
    assert segments.offset[-1] == segments.telescope.size
    assert segments.joint.size == segments.n == segments.offset.size - 1


@given(rows=windows_of_a_test, order=st.permutations(range(SITES.size)), shuffle=st.randoms())
def test_the_order_of_windows_and_telescopes_does_not_matter(rows, order, shuffle) -> None:
    renamed = [(target, order[telescope], *rest) for target, telescope, *rest in rows]
    shuffle.shuffle(renamed)
    sites = np.empty_like(SITES)
    sites[order] = SITES
    for one, other in zip(
        joint_windows(table_of(rows), SITES, [2, 3]), joint_windows(table_of(renamed), sites, [2, 3]), strict=True
    ):
        assert np.array_equal(one.target, other.target)
        assert np.array_equal(one.start_tt_mjd, other.start_tt_mjd)
        assert np.array_equal(one.end_tt_mjd, other.end_tt_mjd)


@given(rows=windows_of_a_test, cut=st.integers(1, SLOTS))
def test_a_span_in_two_parts_finds_the_same_cut_in_two(rows, cut) -> None:
    def clipped(low: int, high: int) -> JointTable:
        inside = [(t, s, max(a, low), min(a + n, high) - max(a, low)) for t, s, a, n in rows]
        return joint_windows(table_of([row for row in inside if row[3] > 0]), SITES, [2])[0]

    (whole,) = joint_windows(table_of(rows), SITES, [2])
    parts = [clipped(0, cut), clipped(cut, 1000)]
    for target in range(3):
        moment = START + cut * STEP
        expected = []
        for start, end in of_target(whole, target):
            expected += [(start, moment), (moment, end)] if start < moment < end else [(start, end)]
        assert [pair for part in parts for pair in of_target(part, target)] == expected


def test_a_site_counts_once_and_needs_a_second() -> None:
    rows = [(0, 0, 0, 10), (0, 1, 5, 10)]
    assert joint_windows(table_of(rows), SITES, [1])[0].n == 1
    assert joint_windows(table_of(rows), SITES, [2])[0].n == 0


def test_a_window_that_ends_where_another_begins_does_not_overlap() -> None:
    assert joint_windows(table_of([(0, 2, 0, 5), (0, 3, 5, 5)]), SITES, [2])[0].n == 0
    # ... but the number of sites that can observe does not fall there.
    (joint,) = joint_windows(table_of([(0, 2, 0, 5), (0, 3, 5, 5), (0, 4, 0, 10)]), SITES, [2])
    assert of_target(joint, 0) == [(START, START + 10 * STEP)]


def test_windows_cut_at_a_noon_are_one() -> None:
    rows = [(0, 2, 0, 5), (0, 2, 5, 5), (0, 3, 0, 10)]
    table = table_of(rows)
    (joint,) = joint_windows(table, SITES, [2])
    segments = segments_of(joint, table, SITES.size)
    assert (joint.n, segments.n) == (1, 1)
    assert segments.members(0) == [2, 3]


def test_many_targets_over_a_long_time_give_the_same_as_one_by_one() -> None:
    # More than a key of 63 bits holds at once: 10,000 days by 30,000 (target, telescope).
    rng = np.random.default_rng(8)
    n, targets, telescopes = 60_000, 6_000, 5
    target, telescope = rng.integers(0, targets, n) * 7 + 100, rng.integers(0, telescopes, n)
    start = START + rng.integers(0, 20, n) + 0.05 * rng.random(n)
    start[:2] = START - 5_000.0, START + 5_000.0
    zeros = np.zeros(n, dtype=np.int64)
    table = WindowTable(target, telescope, zeros.astype("datetime64[D]"), start, start + 0.3, zeros, zeros)
    (joint,) = joint_windows(table, SITES, [2])
    segments = segments_of(joint, table, telescopes)
    some = np.unique(joint.target)[::500]
    assert some.size > 5
    for one in some:
        alone = table.take(target == one)
        (expected,) = joint_windows(alone, SITES, [2])
        mine = joint.target == one
        assert np.allclose(joint.start_tt_mjd[mine], expected.start_tt_mjd, rtol=0.0, atol=1e-11)
        assert np.allclose(joint.end_tt_mjd[mine], expected.end_tt_mjd, rtol=0.0, atol=1e-11)
        pieces = segments_of(expected, alone, telescopes)
        here = np.flatnonzero(np.isin(segments.joint, np.flatnonzero(mine)))
        assert [segments.members(k) for k in here] == [pieces.members(k) for k in range(pieces.n)]


def test_no_windows_no_joint_windows() -> None:
    table = table_of([])
    (joint,) = joint_windows(table, SITES, [2])
    assert joint.n == segments_of(joint, table, SITES.size).n == 0


def test_less_than_one_site_is_refused() -> None:
    with pytest.raises(ValueError, match="min_sites"):
        joint_windows(table_of([]), SITES, [2, 0])
