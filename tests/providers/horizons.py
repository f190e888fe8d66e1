"""Horizons' tables of synthetic bodies by our own propagator, seen from the Earth's centre or as heliocentric states;
a body may be late, so that Horizons differs from us.
"""

import datetime as dt
import re
from typing import Any

import numpy as np

from targets.orbits.elements import OrbitBatch
from targets.orbits.planets import default_planets
from targets.orbits.propagation import propagate
from tests.providers.state import Body, State

_RULE = "*" * 79
_UNITS_D = {"m": 1 / 1440, "h": 1 / 24, "d": 1.0}
_AU_PER_DAY_C = 173.14463267424034


def horizons(state: State, params: dict[str, str], _: Any) -> tuple[int, str]:
    plain = {key: value.strip("'\" ") for key, value in params.items()}
    asked = plain["COMMAND"].strip("; ").removeprefix("DES=").strip()
    top = "API VERSION: 1.3\nAPI SOURCE: NASA/JPL Horizons API\n\n"
    if asked in state.aliases:
        rows = "\n".join(f"    {59000000 + k}  2026    {des}" for k, des in enumerate(state.aliases[asked]))
        return 200, f"{top}Matching small-bodies:\n\n    Record #  Epoch-yr  Primary Desig\n    --------\n{rows}\n"
    body = next((b for b in state.bodies.values() if asked in (b.des, b.name, b.provisional)), None)
    if body is None:
        return 200, f"{top}{_RULE}\nNo matches found.\n{_RULE}\n"
    make = _vectors if plain["EPHEM_TYPE"] == "VECTORS" else _observer
    return 200, top + make(body, plain)


def _times(plain: dict[str, str]) -> list[dt.datetime]:
    start, stop = (_instant(plain[key]) for key in ("START_TIME", "STOP_TIME"))
    step = re.fullmatch(r"(\d+)([mhd])", plain["STEP_SIZE"])
    assert step is not None, plain["STEP_SIZE"]
    pace = dt.timedelta(days=int(step[1]) * _UNITS_D[step[2]])
    return [start + k * pace for k in range(int((stop - start) / pace) + 1)]


def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def _mjd(times: list[dt.datetime]) -> np.ndarray:
    zero = dt.datetime(1858, 11, 17, tzinfo=dt.UTC)
    return np.array([(time - zero) / dt.timedelta(days=1) for time in times])


def _states(body: Body, tdb_mjd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Heliocentric positions and velocities (n, 3)."""
    planets, times = default_planets(), tdb_mjd - body.horizons_late_s / 86400.0
    batch = OrbitBatch.from_cometary(
        [body.des], body.epoch_tdb_jd - 2400000.5, [body.q_au], [body.e], [body.i_deg], [body.node_deg],
        [body.peri_deg], [body.tp_tdb_jd - 2400000.5], nongrav=[[0.0, body.a2_au_d2 or 0.0, 0.0]],
    )  # fmt: skip
    path = propagate(batch, float(times.min()), float(times.max()), planets)
    sun, sun_velocity = planets.state("sun", times)
    return path.position(times)[0] - sun, path.velocity(times)[0] - sun_velocity


def _head(body: Body, center: str, site: str) -> str:
    return (
        f"{_RULE}\nJPL/HORIZONS  {body.full_name}   2026-Nov-24 12:00:00\n"
        f"Rec #: 1 {'(+COV) ' if body.has_covariance else ''}Soln.date: synthetic\n{_RULE}\n"
        f"Target body name: {body.full_name:<30} {{source: JPL#{body.solution_id}}}\n"
        f"Center body name: {center:<30} {{source: DE441}}\nCenter-site name: {site}\n{_RULE}\n"
    )


def _observer(body: Body, plain: dict[str, str]) -> str:
    times = _times(plain)
    tdb = _mjd(times) + 69.184 / 86400
    planets = default_planets()
    earth, sun = planets.position("earth", tdb), planets.position("sun", tdb)
    delta = np.zeros(len(tdb))
    for _ in range(3):
        place, _velocity = _states(body, tdb - delta / _AU_PER_DAY_C)
        seen = place + sun - earth
        delta = np.linalg.norm(seen, axis=1)
    r = np.linalg.norm(place, axis=1)
    ra = np.degrees(np.arctan2(seen[:, 1], seen[:, 0])) % 360
    dec = np.degrees(np.arcsin(seen[:, 2] / delta))
    titles = [" Date__(UT)__HR:MN", "Date_________JDUT", "", "", "R.A._(ICRF)", "DEC_(ICRF)", "dRA*cosD", "d(DEC)/dt"]
    titles += ["Azi_(a-app)", "Elev_(a-app)", "APmag", "S-brt", "r", "rdot", "delta", "deldot", "S-O-T", "/r", "S-T-O"]
    titles += ["RA_3sigma", "DEC_3sigma", ""]
    three_sigma = 3.0 * body.horizons_sigma_arcsec
    errors = f"{0.8 * three_sigma:.3f}, {0.6 * three_sigma:.3f}" if body.has_covariance else "n.a., n.a."
    lines = [
        f" {time:%Y-%b-%d %H:%M}, {mjd + 2400000.5:.9f}, , , {a:.9f}, {d:.9f}, 12.5, -3.25, n.a., "
        f"n.a., {body.h_mag + 5 * np.log10(rr * dd):.3f}, n.a., {rr:.12f}, 0.0, {dd:.14f}, 0.0, 120.0, /T, "
        f"30.0, {errors},"
        for time, mjd, a, d, rr, dd in zip(times, _mjd(times), ra, dec, r, delta, strict=True)
    ]
    return _head(body, "Earth (399)", "GEOCENTRIC") + _framed(titles, lines)


def _vectors(body: Body, plain: dict[str, str]) -> str:
    times = _times(plain)
    position, velocity = _states(body, _mjd(times))
    titles = ["            JDTDB", "            Calendar Date (TDB)", "X", "Y", "Z", "VX", "VY", "VZ", ""]
    lines = [
        f"{mjd + 2400000.5:.9f}, A.D. {time:%Y-%b-%d %H:%M:%S}.0000, "
        + ", ".join(f"{value:.15E}" for value in (*place, *speed))
        + ","
        for time, mjd, place, speed in zip(times, _mjd(times), position, velocity, strict=True)
    ]
    about = "Output units    : AU-D\nOutput type     : GEOMETRIC cartesian states\nReference frame : ICRF\n"
    return _head(body, "Sun (10)", "BODY CENTER") + about + _framed(titles, lines)


def _framed(titles: list[str], lines: list[str]) -> str:
    rule = "*" * 200
    return f"{rule}\n{','.join(titles)}\n{rule}\n$$SOE\n" + "\n".join(lines) + f"\n$$EOE\n{rule}\nsynthetic\n"
