"""JPL's Small-Body Database: one object with its orbit, covariance and forces (`sbdb.api` 1.x)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from coordination.common.providers.errors import Nonsense, Wrong
from coordination.common.providers.reading import (
    FieldError,
    Fields,
    instant,
    jpl_object,
    number,
    reading,
    shown,
)
from targets.designations import FullName, key_of, taken_apart
from targets.sources.records import ORBIT_RANGES

PROVIDER = "sbdb"
VERSIONS = ("1.0", "1.1", "1.2", "1.3")
PACIFIC = ZoneInfo("America/Los_Angeles")  # in which JPL writes the dates of solutions
FIRST_LABELS = ("e", "q", "tp", "node", "peri", "i")
_LONGEST_MATRIX = 40
_ASYMMETRY = 1e-6  # of the correlations: roundings of printed matrices are far smaller


@dataclass(frozen=True, slots=True)
class Elements:
    """Heliocentric ecliptic J2000 elements at `epoch_tdb_jd`. a and M are absent where they are not published."""

    epoch_tdb_jd: float
    e: float
    q_au: float
    tp_tdb_jd: float
    i_deg: float
    node_deg: float
    peri_deg: float
    a_au: float | None = None
    mean_anomaly_deg: float | None = None


@dataclass(frozen=True, slots=True)
class Covariance:
    """As published: rows and columns in the order of `labels` (e, q, tp, node, peri, i, then what else was fitted).

    Its epoch may differ from that of the orbit; `elements` are those at the covariance's epoch.
    """

    elements: Elements
    labels: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]

    def as_published(self) -> dict[str, object]:
        """The form in which `Orbit.covariance` keeps it and `OrbitCovariance.from_sbdb` reads it."""
        at = self.elements
        values = {"e": at.e, "q": at.q_au, "tp": at.tp_tdb_jd, "node": at.node_deg, "peri": at.peri_deg, "i": at.i_deg}
        return {
            "epoch": at.epoch_tdb_jd,
            "labels": list(self.labels),
            "data": [list(row) for row in self.matrix],
            "elements": [{"label": label, "value": value} for label, value in values.items()],
        }


@dataclass(frozen=True, slots=True)
class NonGravitational:
    """Accelerations A1, A2, A3, and whatever else belongs to the model (`others`: ALN, NK, NM, NN, R0, DT, AMRAT...).

    Without ALN, NK, NM, NN, R0 the function g(r) is that of water ice.
    """

    a1_au_d2: float | None = None
    a2_au_d2: float | None = None
    a3_au_d2: float | None = None
    others: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Physical:
    """What is known of the body; absent where it is not published."""

    h_mag: float | None = None
    h_sigma_mag: float | None = None
    g_slope: float | None = None
    m1_mag: float | None = None
    k1: float | None = None
    diameter_km: float | None = None
    diameter_sigma_km: float | None = None
    albedo: float | None = None
    rotation_period_h: float | None = None


@dataclass(frozen=True, slots=True)
class Solution:
    """Which fit it is and how good. `solved_at` is published in Pacific time; here it is UTC."""

    solution_id: str
    solved_at: dt.datetime | None
    first_observed_on: dt.date | None
    last_observed_on: dt.date | None
    arc_days: float | None
    observation_count: int | None
    delay_count: int | None
    doppler_count: int | None
    condition_code: str
    rms: float | None  # normalised residuals, no arcseconds
    moid_au: float | None
    producer: str
    planetary_ephemeris: str
    is_two_body: bool
    valid_from_tdb_jd: float | None = None
    valid_until_tdb_jd: float | None = None


@dataclass(frozen=True, slots=True)
class SbdbObject:
    """One object. `designations` are all that are published, the principal first."""

    designation: str
    full_name: str
    spkid: str
    kind: str  # an, au: (un)numbered asteroid; cn, cu: comet
    number: str
    name: str
    designations: tuple[str, ...]
    orbit_class: str
    is_neo: bool
    is_pha: bool
    elements: Elements
    solution: Solution
    covariance: Covariance | None
    nongrav: NonGravitational
    physical: Physical


def parse_object(body: bytes, asked: str = "", versions: Sequence[str] = VERSIONS) -> SbdbObject:
    """One object; where `asked` is given, that very one.

    Raises Nonsense, NotFound, and Ambiguous where the search matched several.
    """
    reply = jpl_object(PROVIDER, body, versions)
    with reading(PROVIDER, body):
        found = _object(reply)
    if asked and not _is_called(found, asked):
        raise Nonsense(PROVIDER, f"asked for {shown(asked)}, it answers {found.full_name}", Wrong.OBJECT, body)
    return found


def _is_called(found: SbdbObject, asked: str) -> bool:
    keys = {key_of(text) for text in (*found.designations, found.name, found.full_name, found.spkid) if text}
    called = taken_apart(asked)
    return any(key_of(text) in keys for text in (asked, called.number, called.provisional, called.name) if text)


def _object(reply: Fields) -> SbdbObject:
    described, orbit = reply.child("object"), reply.child("orbit")
    designation, full_name = described.text("des", 40), described.text("fullname")
    prefix, kind = described.maybe_text("prefix", 4), described.maybe_text("kind", 4)
    if not (full_name.lstrip("( ").startswith(designation) or f"/{designation}" in full_name):
        raise FieldError(f"des is {shown(designation)} and fullname {shown(full_name)}: expected one object")
    called = FullName() if kind.startswith("c") else taken_apart(full_name)  # names of comets are shared by several
    own = f"{prefix}/{designation}" if prefix and kind == "cu" and "/" not in designation else designation
    others = [text for each in described.maybe_list("des_alt") for text in _other(each)]
    texts = (own, called.provisional, *others)
    elements = _elements(orbit.list("elements"), orbit.number("epoch", *ORBIT_RANGES["epoch_tdb_jd"]))
    return SbdbObject(
        designation=designation,
        full_name=full_name,
        spkid=described.maybe_text("spkid", 20),
        kind=kind,
        number=designation if designation.isdecimal() else "",
        name=called.name,
        designations=tuple(dict.fromkeys(text for text in texts if text and key_of(text))),
        orbit_class=_class(described),
        is_neo=described.flag("neo"),
        is_pha=described.flag("pha"),
        elements=elements,
        solution=_solution(orbit),
        covariance=_covariance(orbit, elements),
        nongrav=_nongrav(orbit.maybe_list("model_pars")),
        physical=_physical(reply.maybe_list("phys_par")),
    )


def _class(described: Fields) -> str:
    return described.child("orbit_class").maybe_text("name", 32) if described.raw.get("orbit_class") else ""


def _other(raw: Any) -> list[str]:
    """The texts of one entry of `des_alt`, such as {"pri": "2004 MN4"} or {"des": "1998 SF36"}."""
    entry = Fields(raw, "an entry of des_alt")
    return [entry.maybe_text(key, 40) for key in ("des", "pri") if key in entry.raw]


def _named(listed: Sequence[Any], what: str) -> dict[str, Fields]:
    found: dict[str, Fields] = {}
    for each in listed:
        fields = Fields(each, f"an entry of {what}")
        if name := fields.maybe_text("name"):
            if name in found:
                raise FieldError(f"{what} has {shown(name)} twice")
            found[name] = fields
    return found


def _elements(listed: Sequence[Any], epoch_tdb_jd: float) -> Elements:
    named = _named(listed, "elements")

    def value(name: str, range_of: str) -> float:
        return number(name, named[name].raw.get("value") if name in named else None, *ORBIT_RANGES[range_of])

    e = value("e", "e")
    has_a = "a" in named and "ma" in named and named["a"].raw.get("value") is not None
    found = Elements(
        epoch_tdb_jd=epoch_tdb_jd,
        e=e,
        q_au=value("q", "q_au"),
        tp_tdb_jd=value("tp", "tp_tdb_jd"),
        i_deg=value("i", "i_deg"),
        node_deg=value("om", "node_deg"),
        peri_deg=value("w", "peri_deg"),
        a_au=value("a", "a_au") if has_a else None,
        mean_anomaly_deg=value("ma", "mean_anomaly_deg") if has_a else None,
    )
    if found.a_au is not None and e != 1.0 and abs(found.a_au * (1.0 - e) - found.q_au) > 1e-4 * found.q_au:
        raise FieldError(f"a is {found.a_au:g} and q {found.q_au:g} with e {e:g}: expected q = a (1 - e)")
    return found


def solved_at(text: str) -> dt.datetime | None:
    """The date of a solution, published in Pacific time, as UTC."""
    if not text:
        return None
    return instant("soln_date", text).replace(tzinfo=PACIFIC).astimezone(dt.UTC)


def _solution(orbit: Fields) -> Solution:
    jd_range = (0.0, 1e8)
    return Solution(
        solution_id=orbit.text("orbit_id", 40),
        solved_at=solved_at(orbit.maybe_text("soln_date")),
        first_observed_on=orbit.maybe_date("first_obs"),
        last_observed_on=orbit.maybe_date("last_obs"),
        arc_days=orbit.maybe_number("data_arc", *ORBIT_RANGES["arc_days"]),
        observation_count=orbit.maybe_whole("n_obs_used"),
        delay_count=orbit.maybe_whole("n_del_obs_used"),
        doppler_count=orbit.maybe_whole("n_dop_obs_used"),
        condition_code=orbit.maybe_text("condition_code", 1),
        rms=orbit.maybe_number("rms", *ORBIT_RANGES["rms_arcsec"]),
        moid_au=orbit.maybe_number("moid", 0.0, 1e4),
        producer=orbit.maybe_text("producer"),
        planetary_ephemeris=orbit.maybe_text("pe_used"),
        is_two_body=orbit.flag("two_body"),
        valid_from_tdb_jd=orbit.maybe_number("not_valid_before", *jd_range),
        valid_until_tdb_jd=orbit.maybe_number("not_valid_after", *jd_range),
    )


def _covariance(orbit: Fields, at_epoch: Elements) -> Covariance | None:
    if orbit.raw.get("covariance") is None:
        return None
    block = orbit.child("covariance")
    epoch = block.number("epoch", *ORBIT_RANGES["epoch_tdb_jd"])
    if block.raw.get("elements"):
        elements = _elements(block.list("elements"), epoch)
    elif epoch == at_epoch.epoch_tdb_jd:
        elements = at_epoch
    else:
        raise FieldError(f"epoch of the covariance is {epoch}, not that of the orbit: expected elements at it")
    labels = tuple(label if isinstance(label, str) else "" for label in block.list("labels"))
    if labels[:6] != FIRST_LABELS or len(set(labels)) < len(labels) or not all(labels):
        raise FieldError(f"labels of the covariance are {shown(labels)}: expected {','.join(FIRST_LABELS)} first")
    return Covariance(elements, labels, _matrix(block.list("data"), len(labels)))


def _matrix(rows: Sequence[Any], size: int) -> tuple[tuple[float, ...], ...]:
    if len(rows) != size or size > _LONGEST_MATRIX or any(not isinstance(r, list) or len(r) != size for r in rows):
        raise FieldError(f"data of the covariance has not the shape {size} x {size}")
    matrix = tuple(tuple(number("data of the covariance", value, -1e12, 1e30) for value in row) for row in rows)
    for k in range(size):
        if matrix[k][k] <= 0.0:
            raise FieldError(f"data of the covariance has the variance {matrix[k][k]:g}: expected more than 0")
    for k in range(size):
        for j in range(k):
            sigmas = (matrix[k][k] ** 0.5) * (matrix[j][j] ** 0.5)
            if not abs(matrix[k][j] - matrix[j][k]) <= _ASYMMETRY * sigmas or abs(matrix[k][j]) > 1.001 * sigmas:
                raise FieldError("data of the covariance is not symmetric, or correlates more than fully")
    return matrix


def _nongrav(listed: Sequence[Any]) -> NonGravitational:
    named = _named(listed, "model_pars")
    values = {
        name: number(name, fields.raw.get("value"), -1e12, 1e12)
        for name, fields in named.items()
        if fields.raw.get("value") is not None
    }
    for name in ("A1", "A2", "A3"):
        number(name, values.get(name, 0.0), *ORBIT_RANGES["a1_au_d2"])
    others = tuple((name, value) for name, value in values.items() if name not in ("A1", "A2", "A3"))
    return NonGravitational(values.get("A1"), values.get("A2"), values.get("A3"), others)


def _physical(listed: Sequence[Any]) -> Physical:
    named = _named(listed, "phys_par")

    def of(name: str, low: float, high: float, key: str = "value") -> float | None:
        return named[name].maybe_number(key, low, high) if name in named else None

    return Physical(
        h_mag=of("H", *ORBIT_RANGES["h_mag"]),
        h_sigma_mag=of("H", *ORBIT_RANGES["h_sigma_mag"], key="sigma"),
        g_slope=of("G", *ORBIT_RANGES["g_slope"]),
        m1_mag=of("M1", *ORBIT_RANGES["m1_mag"]),
        k1=of("K1", *ORBIT_RANGES["k1"]),
        diameter_km=of("diameter", 0.0, 1e5),
        diameter_sigma_km=of("diameter", 0.0, 1e5, key="sigma"),
        albedo=of("albedo", 0.0, 2.0),
        rotation_period_h=of("rot_per", 0.0, 1e5),
    )
