"""Taking closed periods out of windows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coordination.visibility.engine.closures import Closures, merged, without_closures
from coordination.visibility.engine.edges import Edge
from coordination.visibility.engine.table import WindowTable

SUN, ALTITUDE, NIGHT, CLOSURE = (int(edge) for edge in (Edge.SUN, Edge.ALTITUDE, Edge.NIGHT, Edge.CLOSURE))
ANY_LENGTH = np.zeros(3)
Row = tuple[int, int, float, float, int, int]


def windows(*rows: Row) -> WindowTable:
    target, telescope, start, end, opened, closed = (np.array(column) for column in zip(*rows, strict=True))
    nights = np.datetime64("2026-11-22") + np.floor(start).astype("timedelta64[D]")
    return WindowTable(target, telescope, nights, start.astype(float), end.astype(float), opened, closed)


def closures(*rows: tuple[int, float, float]) -> Closures:
    telescope, start, end = (np.array(column) for column in zip(*rows, strict=True))
    return Closures(telescope, start.astype(float), end.astype(float), [f"closure {k}" for k in range(len(rows))])


def told(table: WindowTable) -> list[Row]:
    columns = (table.target, table.telescope, table.start_tt_mjd, table.end_tt_mjd, table.opened_by, table.closed_by)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_edges_are_named_after_what_makes_them() -> None:
    table = windows((0, 0, 1.0, 2.0, SUN, ALTITUDE), (0, 1, 1.0, 2.0, SUN, ALTITUDE), (1, 0, 3.0, 4.0, SUN, SUN))
    closed = closures((0, 1.5, 1.75), (0, 0.5, 1.25), (0, 3.0, 4.0), (2, 0.0, 9.0))
    assert told(without_closures(table, closed, ANY_LENGTH)) == [
        (0, 0, 1.25, 1.5, CLOSURE, CLOSURE),
        (0, 0, 1.75, 2.0, CLOSURE, ALTITUDE),
        (0, 1, 1.0, 2.0, SUN, ALTITUDE),
    ]


def test_intervals_are_half_open() -> None:
    table = windows((0, 0, 1.0, 2.0, SUN, ALTITUDE))
    assert told(without_closures(table, closures((0, 0.0, 1.0), (0, 2.0, 3.0)), ANY_LENGTH)) == told(table)
    cut = without_closures(table, closures((0, 0.0, 1.5), (0, 1.5, 1.75)), ANY_LENGTH)
    assert told(cut) == [(0, 0, 1.75, 2.0, CLOSURE, ALTITUDE)]


def test_what_is_left_and_too_short_is_dropped_but_a_window_cut_at_noon_is_one() -> None:
    table = windows((0, 0, 1.0, 2.0, SUN, NIGHT), (0, 0, 2.0, 3.0, NIGHT, SUN), (1, 1, 1.0, 1.25, SUN, SUN))
    closed = closures((0, 1.125, 1.875))
    left = without_closures(table, closed, np.array([0.5, 0.5, 0.5]))
    assert told(left) == [(0, 0, 1.875, 2.0, CLOSURE, NIGHT), (0, 0, 2.0, 3.0, NIGHT, SUN)]


def test_no_closures_and_no_windows() -> None:
    table = windows((0, 0, 1.0, 2.0, SUN, ALTITUDE))
    assert without_closures(table, Closures.none(), ANY_LENGTH) is table
    assert without_closures(WindowTable.concatenate([]), closures((0, 1.0, 2.0)), ANY_LENGTH).n == 0


def test_reasons_and_cover() -> None:
    closed = Closures(
        np.array([0, 0, 0, 1]), np.array([2.0, 0.0, 1.0, 0.0]), np.array([3.0, 1.0, 2.0, 9.0]), ["c", "a", "b", "d"]
    )
    assert closed.reasons_between(0, 0.5, 2.0) == ["a", "b"]
    assert closed.cover(0, np.array([0.0, 1.5]), np.array([0.5, 3.0]))
    assert not closed.cover(0, np.array([0.0, 1.5]), np.array([0.5, 3.5]))
    assert not closed.cover(2, np.array([0.0]), np.array([0.5]))


whole = st.integers(0, 60).map(float)
spans = st.tuples(whole, st.integers(1, 20)).map(lambda s: (s[0], s[0] + s[1]))


@given(
    closed=st.lists(spans, max_size=8), lengths=st.lists(st.tuples(st.integers(0, 4), st.integers(1, 9)), max_size=8)
)
def test_every_minute_is_in_a_window_and_not_closed_or_left_out(closed, lengths) -> None:
    rows, now = [], 0.0
    for gap, length in lengths:
        rows.append((0, 0, now + gap, now + gap + length, SUN, ALTITUDE))
        now += gap + length
    before = windows(*rows) if rows else WindowTable.concatenate([])
    after = without_closures(
        before, closures(*((0, *span) for span in closed)) if closed else Closures.none(), ANY_LENGTH
    )

    def inside(intervals, minute):
        return any(start <= minute < end for start, end in intervals)

    for minute in np.arange(0.5, 130.0):
        expected = inside([row[2:4] for row in rows], minute) and not inside(closed, minute)
        assert inside([row[2:4] for row in told(after)], minute) == expected
    assert np.all(after.start_tt_mjd[1:] >= after.end_tt_mjd[:-1])
    start, end = merged(*(np.array([span[k] for span in closed], dtype=float) for k in (0, 1)))
    assert np.all(start[1:] > end[:-1])
