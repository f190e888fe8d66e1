"""The sweep over changes of constraints, and the joining of windows."""

import numpy as np

from coordination.visibility.engine.edges import SEAM, Edge
from coordination.visibility.engine.sweep import Changes, sweep
from coordination.visibility.engine.table import WindowTable, joined, without_short


def changes(edge: int, holds: list[bool], *events: tuple[int, float, bool]) -> Changes:
    item, time, begins = (np.array(column) for column in zip(*events, strict=True)) if events else (np.empty(0),) * 3
    return Changes(edge, np.array(holds, dtype=bool), item.astype(int), time.astype(float), begins.astype(bool))


def run(n: int, *constraints: Changes) -> list[tuple[int, float, float, int, int]]:
    ends = np.ones(n)
    found = sweep(constraints, -ends, ends, np.full(n, int(Edge.SUN)), np.full(n, int(Edge.NIGHT)))
    return list(zip(found.item, found.start, found.end, found.opened_by, found.closed_by, strict=True))


def test_an_edge_is_named_after_the_constraint_that_makes_it() -> None:
    altitude = changes(3, [False, True], (0, -0.5, True), (0, 0.5, False), (1, 0.2, False))
    moon = changes(7, [True, True], (0, 0.0, False), (0, 0.25, True))
    assert run(2, altitude, moon) == [(0, -0.5, 0.0, 3, 7), (0, 0.25, 0.5, 7, 3), (1, -1.0, 0.2, 2, 3)]


def test_two_broken_constraints_must_both_be_mended() -> None:
    altitude = changes(3, [False], (0, -0.5, True))
    moon = changes(7, [False], (0, 0.5, True))
    assert run(1, altitude, moon) == [(0, 0.5, 1.0, 7, 1)]


def test_all_and_nothing() -> None:
    assert run(2, changes(3, [True, False])) == [(0, -1.0, 1.0, 2, 1)]
    assert run(0, changes(3, [])) == []


def table(*rows: tuple[int, float, float, int, int]) -> WindowTable:
    target, start, end, opened, closed = (np.array(column) for column in zip(*rows, strict=True))
    nights = np.full(len(rows), np.datetime64("2026-11-22"))
    return WindowTable(target, np.zeros_like(target), nights, start, end, opened, closed)


def test_seams_are_joined_and_nights_only_when_asked() -> None:
    rows = table((0, 1.0, 1.5, 2, SEAM), (0, 1.5, 2.0, SEAM, 1), (0, 2.0, 2.25, 1, 3), (1, 2.25, 3.0, 2, 2))
    at_seams = joined(rows, at_nights=False)
    assert (at_seams.start_tt_mjd.tolist(), at_seams.end_tt_mjd.tolist()) == ([1.0, 2.0, 2.25], [2.0, 2.25, 3.0])
    assert (at_seams.opened_by.tolist(), at_seams.closed_by.tolist()) == ([2, 1, 2], [1, 3, 2])
    whole = joined(rows, at_nights=True)
    assert (whole.start_tt_mjd.tolist(), whole.end_tt_mjd.tolist()) == ([1.0, 2.25], [2.25, 3.0])


def test_a_window_cut_at_noon_is_as_long_as_the_whole() -> None:
    rows = table((0, 1.0, 1.01, 2, 1), (0, 1.01, 1.9, 1, 3), (1, 1.0, 1.01, 2, 3))
    assert without_short(rows, np.array([0.5])).target.tolist() == [0, 0]
