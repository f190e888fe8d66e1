"""`dev.py bench joint`: joint windows of at least 2 and 3 sites among all windows of 50 telescopes over 30 nights.

The windows are found by the engine from the whole shipped catalogue (not counted). Then the solver is asked, and
PostgreSQL the same: sites united with range_agg, a running count over starts and ends, range_agg over what holds. Both
answers must be the same. The database does it in a temporary table of its own; loading it is not counted.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import Any

import numpy as np
import psycopg
from _common import catalogue_orbits, finish, machine, seconds, show
from catalogue import CODES, NIGHTS

from coordination.common.timescales import tt_mjd_to_utc, tt_to_tdb_mjd, utc_to_tt_mjd
from coordination.visibility.engine.cells import Telescope
from coordination.visibility.engine.joint import JointTable, joint_windows
from coordination.visibility.engine.limits import Limits
from coordination.visibility.engine.observe import observe
from coordination.visibility.engine.segments import segments_of
from coordination.visibility.engine.table import WindowTable
from coordination.visibility.engine.windows import find_windows
from observatories.sites.grouping import site_numbers
from observatories.sources.obscodes import find_code
from targets.orbits.ephemeris import build_blocks
from targets.orbits.planets import Planets
from targets.orbits.prefilter import brightest_possible_v
from targets.orbits.propagation import propagate

START = np.datetime64("2026-11-22T12:00", "us")
MIN_SITES = (2, 3)
ROUNDS = 3
SWEEP = """
    CREATE TEMP TABLE joint AS
    WITH of_site AS (SELECT target, unnest(range_agg(during)) AS during FROM windows GROUP BY target, site),
    event AS (SELECT target, lower(during) AS at, 1 AS step FROM of_site
              UNION ALL SELECT target, upper(during), -1 FROM of_site),
    counted AS (SELECT target, at, sum(step) OVER each AS sites, lead(at) OVER each AS until
                FROM event WINDOW each AS (PARTITION BY target ORDER BY at))
    SELECT k, target, unnest(range_agg(int8range(at, until))) AS during
    FROM counted JOIN (SELECT unnest(%s::int[]) AS k) asked ON sites >= k AND until > at
    GROUP BY k, target
"""


def found_windows(v_limit_mag: float, share: int) -> tuple[WindowTable, np.ndarray, int]:
    """Windows of the catalogue, in whole microseconds of UTC; sites of the telescopes; how many targets have any."""
    planets, start = Planets(), float(utc_to_tt_mjd(START))
    orbits = catalogue_orbits()
    orbits = orbits.take(np.arange(0, len(orbits), share))
    places = [find_code(code).place for code in CODES.split()]
    telescopes = [
        Telescope(place, Limits(v_limit_mag=v_limit_mag), code)
        for place, code in zip(places, CODES.split(), strict=True)
    ]
    observing = observe(telescopes, start, start + NIGHTS, planets)
    first, last = tt_to_tdb_mjd(np.array([start - 1.0, start + NIGHTS]))
    known = (orbits.epoch_tdb_mjd > planets.span_tdb_mjd[0]) & (orbits.epoch_tdb_mjd < planets.span_tdb_mjd[1])
    orbits = orbits.take(np.flatnonzero(known))
    bright = np.flatnonzero(brightest_possible_v(orbits, start, start + NIGHTS, planets) <= v_limit_mag)
    some = orbits.take(bright)
    groups = build_blocks(propagate(some, first, last, planets), some, start, NIGHTS, planets)
    table = find_windows(groups, observing)
    bounds = [utc_to_tt_mjd(tt_mjd_to_utc(times)) for times in (table.start_tt_mjd, table.end_tt_mjd)]
    rounded = WindowTable(
        table.target, table.telescope, table.night, bounds[0], bounds[1], table.opened_by, table.closed_by
    )
    return rounded, site_numbers(places), np.unique(table.target).size


def microseconds(tt_mjd: np.ndarray) -> np.ndarray:
    return tt_mjd_to_utc(tt_mjd).astype(np.int64)


def load(connection: psycopg.Connection[Any], windows: WindowTable, site: np.ndarray) -> None:
    connection.execute("CREATE TEMP TABLE windows (target int, site int, during int8range)")
    rows = zip(
        windows.target.tolist(),
        site[windows.telescope].tolist(),
        microseconds(windows.start_tt_mjd).tolist(),
        microseconds(windows.end_tt_mjd).tolist(),
        strict=True,
    )
    with connection.cursor().copy("COPY windows FROM STDIN") as copy:
        copy.write("".join(f"{target}\t{place}\t[{start},{end})\n" for target, place, start, end in rows))
    connection.execute("ANALYZE windows")
    connection.execute("SET work_mem = '512MB'")


def ask_database(connection: psycopg.Connection[Any]) -> None:
    connection.execute("DROP TABLE IF EXISTS joint")
    connection.execute(SWEEP.replace("%s", f"'{{{','.join(map(str, MIN_SITES))}}}'"))


def check(connection: psycopg.Connection[Any], found: list[JointTable]) -> None:
    """That both say the same, to a microsecond or two."""
    for count, joint in zip(MIN_SITES, found, strict=True):
        query = "SELECT target, lower(during), upper(during) FROM joint WHERE k = %s ORDER BY 1, 2"
        rows = np.array(connection.execute(query, [count]).fetchall(), dtype=np.int64).reshape(-1, 3)
        assert rows.shape[0] == joint.n, f"{count} sites: {joint.n} joint windows here, {rows.shape[0]} there"
        assert np.array_equal(rows[:, 0], joint.target)
        for column, times in ((1, joint.start_tt_mjd), (2, joint.end_tt_mjd)):
            assert np.max(np.abs(rows[:, column] - microseconds(times)), initial=0) <= 2


def main() -> None:
    parser = argparse.ArgumentParser(prog="dev.py bench joint", description=__doc__)
    parser.add_argument("--v-limit", type=float, default=21.8, help="of all telescopes (default: %(default)s)")
    parser.add_argument("--share", type=int, default=1, help="take every so many-th target only")
    options = parser.parse_args()
    if "DATABASE_URL" not in os.environ:
        sys.exit("DATABASE_URL is not set: run it as python3 dev.py bench joint")
    print("finding the windows …", file=sys.stderr)
    windows, site, targets = found_windows(options.v_limit, options.share)

    ours, found = seconds(lambda: joint_windows(windows, site, MIN_SITES), ROUNDS)
    ours_processor, _ = seconds(lambda: joint_windows(windows, site, MIN_SITES), ROUNDS, time.process_time)
    busiest = found[0].take(found[0].target == np.bincount(windows.target).argmax())
    segments_s, segments = seconds(lambda: segments_of(busiest, windows, site.size), ROUNDS)
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        load(connection, windows, site)
        database, _ = seconds(lambda: ask_database(connection), ROUNDS)
        check(connection, found)
        connection.rollback()

    print(
        f"{windows.n} windows of {targets} targets at {site.size} telescopes of {np.unique(site).size} sites over "
        f"{NIGHTS} nights, found by the engine from the catalogue to V = {options.v_limit:g}; {machine()}\n"
    )
    names = [f">= {count} sites: {joint.n}" for count, joint in zip(MIN_SITES, found, strict=True)]
    show(
        ["joint windows, " + ", ".join(names), "seconds", "ratio"],
        [
            ["this solver, both", f"{ours:.3f}", "1.0"],
            ["this solver, on the processor", f"{ours_processor:.3f}", f"{ours_processor / ours:.2f}"],
            ["PostgreSQL, both in one statement", f"{database:.3f}", f"{database / ours:.1f}"],
            [f"segments of the busiest target ({segments.n})", f"{segments_s:.3f}", f"{segments_s / ours:.2f}"],
        ],
    )
    print("Both say the same.\n")
    finish(
        "joint",
        {
            "windows": windows.n,
            "targets": targets,
            "telescopes": site.size,
            "sites": np.unique(site).size,
            **{f"joint_{count}": joint.n for count, joint in zip(MIN_SITES, found, strict=True)},
            "solver_s": round(ours, 4),
            "solver_processor_s": round(ours_processor, 4),
            "postgresql_s": round(database, 4),
            "ratio": round(database / ours, 2),
            "segments_of_one_target_s": round(segments_s, 4),
            "agree": True,
        },
    )


if __name__ == "__main__":
    main()
