"""Relays against trying every chain, and what they tell of phases and gaps."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordination.visibility.engine.relay import fillings, folded_fraction, gaps, relay

SLOTS = 24.0

drawn = st.lists(
    st.tuples(
        st.integers(0, 4), st.integers(0, 20), st.integers(1, 8), st.sampled_from([20.0, 30.0, 40.0, 50.0, 60.0])
    ),
    max_size=7,
)


def disjoint(rows):
    """Windows of which those of one telescope neither overlap nor touch."""
    kept = []
    for telescope, start, length, altitude in rows:
        end = start + length
        if end <= SLOTS and all(t != telescope or end < s or start > e for t, s, e, _ in kept):
            kept.append((telescope, float(start), float(end), altitude))
    return kept


def columns(windows):
    telescope, start, end, altitude = np.array(windows, dtype=float).reshape(-1, 4).T
    return telescope.astype(np.int64), start, end, altitude


def stretches(windows):
    """Windows by unbroken stretches of time in which somebody observes."""
    found = []
    until = -1.0
    for window in sorted(windows, key=lambda w: w[1]):
        if window[1] > until:
            found.append([])
        found[-1].append(window)
        until = max(until, window[2])
    return found


def best_by_trying_all(windows, handover, slack):
    """The best chain over one stretch by trying all sequences of windows."""
    first, last = min(w[1] for w in windows), max(w[2] for w in windows)
    best = None
    for size in range(1, len(windows) + 1):
        for chain in itertools.permutations(windows, size):
            pairs = list(itertools.pairwise(chain))
            rising = all(a[1] < b[1] and a[2] < b[2] for a, b in pairs)
            meets = all(b[1] <= a[2] for a, b in pairs)
            if not (rising and meets and chain[0][1] <= first + slack and chain[-1][2] >= last - slack):
                continue
            untied = sum(a[2] - b[1] < handover for a, b in pairs)
            key = (untied, size, -min(w[3] for w in chain), [w[0] for w in chain])
            best = key if best is None or key < best else best
    return best


@given(rows=drawn, handover=st.sampled_from([0.0, 1.0, 2.0, 3.0]), slack=st.sampled_from([0.0, 0.0, 1.0, 2.0]))
def test_the_chain_is_the_best_of_all(rows, handover, slack) -> None:
    windows = disjoint(rows)
    telescope, start, end, altitude = columns(windows)
    chain = relay(telescope, start, end, altitude, (0.0, SLOTS), handover, slack)
    picked = [windows[k] for k in chain.window]
    seen = np.zeros(int(SLOTS), dtype=bool)
    for _, first, last, _ in windows:
        seen[int(first) : int(last)] = True
    missed = seen.sum() - chain.covered_days
    assert -1e-9 <= missed <= 2.0 * slack * len(stretches(windows)) + 1e-9
    done = 0
    for stretch in stretches(windows):
        best = best_by_trying_all(stretch, handover, slack)
        legs = picked[done : done + best[1]]
        untied = sum(a[2] - b[1] < handover for a, b in itertools.pairwise(legs))
        assert (untied, len(legs), -min(w[3] for w in legs), [w[0] for w in legs]) == best
        assert np.sum(~chain.handed_on[done : done + len(legs) - 1]) == untied
        done += len(legs)
    assert done == len(picked)


@given(rows=drawn, handover=st.sampled_from([0.0, 1.0, 2.0]))
def test_legs_are_parts_of_their_windows_and_overlap_by_the_hand_over(rows, handover) -> None:
    telescope, start, end, altitude = columns(disjoint(rows))
    chain = relay(telescope, start, end, altitude, (0.0, SLOTS), handover)
    assert np.all(chain.start_tt_mjd < chain.end_tt_mjd)
    assert np.all(chain.start_tt_mjd >= start[chain.window])
    assert np.all(chain.end_tt_mjd <= end[chain.window])
    overlap = chain.end_tt_mjd[:-1] - chain.start_tt_mjd[1:]
    handed_on = chain.handed_on[:-1]
    assert np.allclose(overlap[handed_on], handover)
    assert np.all(overlap[~handed_on] <= 0.0)
    missed = np.sum(chain.gap_end_tt_mjd - chain.gap_start_tt_mjd)
    assert chain.covered_days + missed == pytest.approx(SLOTS)


def test_a_longer_way_is_taken_where_it_hands_on_properly() -> None:
    windows = [(0, 0.0, 10.0, 40.0), (1, 9.0, 20.0, 40.0), (2, 5.0, 12.0, 40.0)]
    telescope, start, end, altitude = columns(windows)
    assert relay(telescope, start, end, altitude, (0.0, 20.0), 1.0).window.tolist() == [0, 1]
    chain = relay(telescope, start, end, altitude, (0.0, 20.0), 2.0)
    assert chain.window.tolist() == [0, 2, 1]
    assert chain.handed_on.tolist() == [True, True, False]
    assert chain.start_tt_mjd.tolist() == [0.0, 6.5, 9.5]
    assert chain.end_tt_mjd.tolist() == [8.5, 11.5, 20.0]


def test_nobody_observes() -> None:
    telescope, start, end, altitude = columns([])
    chain = relay(telescope, start, end, altitude, (3.0, 5.0), 0.1)
    assert chain.covered_days == 0.0
    assert (chain.gap_start_tt_mjd.tolist(), chain.gap_end_tt_mjd.tolist()) == ([3.0], [5.0])
    assert chain.rotation_fraction(0.3) == 0.0


@given(rows=st.lists(st.tuples(st.integers(0, 400), st.integers(1, 60)), max_size=6), period=st.integers(5, 100))
def test_folded_phases_are_counted_once(rows, period) -> None:
    covered = np.zeros(period, dtype=bool)
    for start, length in rows:
        covered[np.arange(start, start + length) % period] = True
    start, length = np.array(rows, dtype=float).reshape(-1, 2).T
    assert folded_fraction(start, start + length, float(period)) == pytest.approx(covered.mean())


def test_a_period_must_be_a_length_of_time() -> None:
    for period in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="period"):
            folded_fraction(np.zeros(1), np.ones(1), period)


def test_who_fills_a_gap() -> None:
    gap_start, gap_end = gaps(np.array([2.0, 5.0]), np.array([3.0, 7.0]), (0.0, 10.0))
    assert (gap_start.tolist(), gap_end.tolist()) == ([0.0, 3.0, 7.0], [2.0, 5.0, 10.0])
    covered = fillings(gap_start, gap_end, np.array([0, 0, 2]), np.array([1.0, 4.5, 4.0]), np.array([4.0, 8.0, 4.5]), 3)
    assert covered.tolist() == [[1.0, 0.0, 0.0], [1.5, 0.0, 0.5], [1.0, 0.0, 0.0]]
