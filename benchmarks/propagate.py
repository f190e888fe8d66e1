"""`dev.py bench propagate`: integrating 4,000 orbits of the catalogue over 32 days and over a year, per object.

Beside it ASSIST (a C library, IAS15) on some of the same orbits with the same planets and asteroids, if it is
installed: its time, and how far apart the positions are at the end. One process; times are of the processor.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
from _common import ROOT, catalogue_orbits, finish, installed, machine, seconds, show

from targets.orbits.elements import OrbitBatch
from targets.orbits.planets import SUN, Planets
from targets.orbits.propagation import propagate

KERNELS = ROOT / "targets" / "orbits" / "kernels"
SPANS_D = (32, 365)
AU_KM = 149_597_870.7
J2000_MJD = 51544.5


def chosen_orbits(count: int) -> OrbitBatch:
    """Orbits of one common epoch, spread over the catalogue: then every span is integrated from end to end, no more."""
    orbits = catalogue_orbits()
    epochs, counts = np.unique(orbits.epoch_tdb_mjd, return_counts=True)
    same = np.flatnonzero(orbits.epoch_tdb_mjd == epochs[counts.argmax()])
    return orbits.take(same[np.linspace(0, same.size - 1, min(count, same.size)).astype(int)])


def with_assist(orbits: OrbitBatch, days: int, planets: Planets) -> np.ndarray:
    """Barycentric positions (n, 3) in au at the end; each orbit is a simulation of its own, as its steps are."""
    import assist
    import rebound

    ephemeris = assist.Ephem(str(KERNELS / "de440_1990-2050.bsp"), str(KERNELS / "sb441-n16_1990-2050.bsp"))
    ends = np.empty((len(orbits), 3))
    sun_position, sun_velocity = planets.state(SUN, orbits.epoch_tdb_mjd)
    states = orbits.state + np.concatenate([sun_position, sun_velocity], axis=1)
    for k, (x, y, z, vx, vy, vz) in enumerate(states):
        simulation = rebound.Simulation()
        simulation.t = orbits.epoch_tdb_mjd[k] - J2000_MJD
        simulation.add(x=x, y=y, z=z, vx=vx, vy=vy, vz=vz)
        extras = assist.Extras(simulation, ephemeris)
        extras.integrate_or_interpolate(simulation.t + days)
        ends[k] = simulation.particles[0].xyz
    return ends


def main() -> None:
    parser = argparse.ArgumentParser(prog="dev.py bench propagate", description=__doc__)
    parser.add_argument("--objects", type=int, default=4000)
    parser.add_argument("--peer-objects", type=int, default=200, help="of them for ASSIST (default: %(default)s)")
    options = parser.parse_args()
    planets = Planets()
    orbits = chosen_orbits(options.objects)
    epoch = float(orbits.epoch_tdb_mjd[0])
    some = np.linspace(0, len(orbits) - 1, min(options.peer_objects, len(orbits))).astype(int)
    has_assist = installed("assist")
    if installed("kete"):
        print("kete is not measured: it fetches kernels when it is imported", file=sys.stderr)

    propagate(orbits.take(some), epoch, epoch + 1.0, planets)  # the kernel is read, the tables of constants are made
    rows, figures = [], {"objects": len(orbits), "peer_objects": some.size if has_assist else 0}
    for days in SPANS_D:
        took, trajectory = seconds(
            lambda days=days: propagate(orbits, epoch, epoch + days, planets), rounds=2, clock=time.process_time
        )
        ours_us = took / len(orbits) * 1e6
        figures[f"ours_{days}d_us"] = round(ours_us, 1)
        row = [f"{days} d", f"{ours_us:.0f} us"]
        if has_assist:
            took, ends = seconds(
                lambda days=days: with_assist(orbits.take(some), days, planets), clock=time.process_time
            )
            peer_us = took / some.size * 1e6
            here = trajectory.take(some).position(np.array([epoch + days]))[:, 0]
            apart_m = np.linalg.norm(here - ends, axis=1) * AU_KM * 1e3
            figures |= {
                f"assist_{days}d_us": round(peer_us, 1),
                f"assist_{days}d_ratio": round(peer_us / ours_us, 1),
                f"apart_{days}d_median_m": round(float(np.median(apart_m)), 2),
                f"apart_{days}d_max_m": round(float(apart_m.max()), 1),
            }
            row += [f"{peer_us:.0f} us", f"{peer_us / ours_us:.1f}x", f"{np.median(apart_m):.2g} m"]
        rows.append(row + [""] * (5 - len(row)))
    print(f"{len(orbits)} orbits of the catalogue, per object; {machine()}\n")
    show(["span", "this engine", "ASSIST", "ASSIST / ours", "apart, median"], rows)
    finish("propagate", figures)


if __name__ == "__main__":
    main()
