"""`dev.py bench windows`: 20 targets x 10 sites x 10 nights, by this engine and by what people use, in one run.

Constraints everywhere: Sun below -18 deg, target above 20 deg, Moon 30 deg away. This engine integrates the orbits
first and gives edges as roots; what each of the others does is printed beside it (`_peers.py`). Everything is one
process, so seconds are of the processor, of the fastest of some rounds.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from typing import Any

import numpy as np
from _common import catalogue_records, finish, machine, orbits_of, seconds, show
from _peers import ALTITUDE_DEG, MOON_DEG, NIGHTS, START, SUN_DEG, Work, peers

from coordination.common.timescales import tt_to_tdb_mjd, utc_to_tt_mjd
from coordination.visibility.engine.cells import Telescope
from coordination.visibility.engine.limits import Limits
from coordination.visibility.engine.observe import observe
from coordination.visibility.engine.places import places
from coordination.visibility.engine.quantities import describe
from coordination.visibility.engine.windows import find_windows
from observatories.sources.obscodes import find_code
from targets.orbits.elements import OrbitBatch
from targets.orbits.ephemeris import build_blocks
from targets.orbits.planets import Planets
from targets.orbits.propagation import propagate

TARGETS = """
    433 887 1036 1566 1580 1620 1627 1685 1862 1866 1915 2062 2101 3122 3200 4179 5143 25143 99942 101955
"""
CODES = "X05 W84 J04 950 703 G96 F51 E10 K91 474"
ROUNDS = 15
AGAIN_BELOW_S = 10.0  # a peer that is quicker than this has a second round, with warm caches


def this_engine(orbits: OrbitBatch, telescopes: list[Telescope], planets: Planets, quantities: bool) -> float:
    """Hours in windows. Kept between calls: the planetary kernel, and where planets and pole are at the steps of its
    grid.
    """
    start = float(utc_to_tt_mjd(START))
    observing = observe(telescopes, start, start + NIGHTS, planets)
    first, last = tt_to_tdb_mjd(np.array([start - 1.0, start + NIGHTS]))
    groups = build_blocks(propagate(orbits, first, last, planets), orbits, start, NIGHTS, planets)
    table = find_windows(groups, observing, cut_at_nights=False)
    if quantities:
        describe(table, groups, observing)
    return float((table.end_tt_mjd - table.start_tt_mjd).sum() * 24.0)


def given_work(planets: Planets) -> Work:
    """The targets' orbits, the sites with their limits, and where the targets are in the middle of the span."""
    by_name = {record.number or record.designation: record for record in catalogue_records()}
    records = [by_name[name] for name in TARGETS.split()]
    orbits = orbits_of(records)
    limits = Limits(sun_alt_deg=SUN_DEG, min_alt_deg=ALTITUDE_DEG, moon_sep_deg=MOON_DEG, v_limit_mag=None)
    telescopes = [Telescope(find_code(code).place, limits, code) for code in CODES.split()]
    tt = np.array([float(utc_to_tt_mjd(START)) + 0.5 * NIGHTS])
    tdb = float(tt_to_tdb_mjd(tt)[0])
    middle = places(propagate(orbits, tdb - 1.0, tdb + 1.0, planets), tt, None)
    return Work(orbits, records, telescopes, middle.ra_deg[:, 0], middle.dec_deg[:, 0])


def measure_ours(work: Work) -> tuple[dict[str, float], float]:
    """Seconds of this engine by name, and the hours that it finds."""

    def ours(orbits: OrbitBatch = work.orbits, quantities: bool = False, planets: Planets | None = None) -> float:
        return this_engine(orbits, work.telescopes, planets or Planets(), quantities)

    first_s, hours = seconds(ours, clock=time.process_time)
    planets = Planets()
    start_tdb = float(tt_to_tdb_mjd(utc_to_tt_mjd(START)))
    at_start = propagate(work.orbits, start_tdb, start_tdb, planets).batch_at(start_tdb)
    variants = {
        "ours": lambda: ours(planets=planets),
        "ours_from_kept_states": lambda: ours(at_start, planets=planets),
        "ours_with_quantities": lambda: ours(quantities=True, planets=planets),
    }
    took = {name: seconds(run, ROUNDS, time.process_time)[0] for name, run in variants.items()}
    return {"ours_first": first_s, **took}, hours


def main() -> None:
    argparse.ArgumentParser(prog="dev.py bench windows", description=__doc__).parse_args()
    from astropy.utils import iers

    iers.conf.auto_download, iers.conf.auto_max_age = False, None  # no benchmark goes online
    warnings.simplefilter("ignore")
    work = given_work(Planets())
    ours, hours = measure_ours(work)
    told = {
        "ours_first": "this engine, first call in a process",
        "ours": "this engine",
        "ours_from_kept_states": "this engine, orbits kept at the start of the span",
        "ours_with_quantities": "this engine, with V, motion, Moon, places",
    }
    does = "orbits integrated, edges of all constraints"
    rows: list[list[Any]] = [
        [told[name], f"{took:.4f}", f"{took / ours['ours']:.2f}", "", "", f"{hours:.0f}", does]
        for name, took in ours.items()
    ]
    figures: dict[str, Any] = {f"{name}_s": round(took, 4) for name, took in ours.items()} | {
        "ours_hours": round(hours, 1)
    }
    bars: dict[str, dict[str, Any]] = {}
    for peer in peers(work):
        print(f"{peer.name} …", file=sys.stderr)
        took, peer_hours = seconds(peer.run, clock=time.process_time)
        if took < AGAIN_BELOW_S:
            took = min(took, seconds(peer.run, clock=time.process_time)[0])
        ratio = took / ours["ours"]
        met = ratio >= peer.bar
        row = [peer.name, f"{took:.2f}", f"{ratio:.0f}", f"{peer.bar:.0f}", "yes" if met else "no"]
        rows.append([*row, f"{peer_hours:.0f}", peer.does])
        figures |= {f"{peer.key}_s": round(took, 3), f"{peer.key}_ratio": round(ratio)}
        figures[f"{peer.key}_hours"] = round(peer_hours, 1)
        bar = bars.setdefault(peer.name.split()[0], {"bar": peer.bar, "met_by": [], "not_met_by": []})
        bar["met_by" if met else "not_met_by"].append(peer.key)
    print(f"{len(TARGETS.split())} targets x {len(CODES.split())} sites x {NIGHTS} nights; {machine()}\n")
    show(["", "seconds", "ratio", "bar", "met", "hours found", "what it does"], rows)
    print("The orbits' epoch is a year before the span; the service keeps them at its start, and goes on from there.")
    print("The others' hours differ a little: fixed places or two bodies, 5 minutes, the Moon once a window.\n")
    finish("windows", figures | {"bars": bars})


if __name__ == "__main__":
    main()
