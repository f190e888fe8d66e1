"""What the database knows of the targets of a night, as the measures of `priority` take it, in a fixed number of
queries.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Max, Min, Q, QuerySet, Sum
from numpy.typing import NDArray

from observatories.models import Telescope
from targets.models import Candidate, Ephemeris, Orbit, RiskAssessment
from targets.orbits.moid import moid_au

from . import quality
from .arrays import DATE, ID, NUMBER, arrays_of
from .models import VisibilityWindow

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_LONGEST_NIGHT = dt.timedelta(days=2)  # from its label to the latest UTC date on which it can end
_LETTERS = {"D": 9.0, "E": 9.0, "F": 9.0}
_MOST_KNOWN = 200_000

_moids: dict[int, float] = {}  # by orbit, which never changes: computed once in a process


def of_night(windows: QuerySet[VisibilityWindow], night: dt.date) -> QuerySet[VisibilityWindow]:
    return windows.filter(night=night, night_ends_on__range=(night, night + _LONGEST_NIGHT))


@dataclass(frozen=True)
class Pairs:
    """Targets at telescopes that can observe them in a night, arrays (n,); times summed over the windows of a pair."""

    target_id: IntArray
    telescope_id: IntArray
    orbit_id: IntArray
    ends_on: NDArray[np.datetime64]
    seconds: FloatArray
    v_mag: FloatArray
    rate_arcsec_min: FloatArray
    airmass: FloatArray
    altitude_deg: FloatArray

    @classmethod
    def read(cls, windows: QuerySet[VisibilityWindow]) -> Pairs:
        grouped = windows.order_by().values("target_id", "telescope_id")
        figures = grouped.annotate(
            orbit=Max("orbit_id"), ends_on=Max("night_ends_on"), seconds=Sum("duration_s"), v=Min("v_mag"),
            rate=Max("rate_arcsec_min"), airmass=Min("peak_airmass"), altitude=Max("peak_altitude_deg"),
        )  # fmt: skip
        ids = dict.fromkeys(("target_id", "telescope_id", "orbit"), ID)
        numbers = dict.fromkeys(("seconds", "v", "rate", "airmass", "altitude"), NUMBER)
        return cls(*arrays_of(figures, {**ids, "ends_on": DATE, **numbers}).values())

    def take(self, index: NDArray[Any]) -> Pairs:
        return Pairs(*(values[index] for values in vars(self).values()))


@dataclass(frozen=True)
class Later:
    """Of targets (n,) a few nights on: brightest V, NaN where there is no window; length of windows, 0 there. All NaN
    where that night is not stored.
    """

    days: float
    v_mag: FloatArray
    seconds: FloatArray


def later(windows: QuerySet[VisibilityWindow], targets: IntArray, night: dt.date, on: dt.date) -> Later:
    unknown = np.full(targets.size, np.nan)
    if on <= night:
        return Later(math.nan, unknown, unknown.copy())
    figures = of_night(windows, on).order_by().values("target_id").annotate(v=Min("v_mag"), seconds=Sum("duration_s"))
    found = arrays_of(figures, {"target_id": ID, "v": NUMBER, "seconds": NUMBER})
    place, there = _places(targets, found["target_id"])
    seconds = np.zeros(targets.size)
    unknown[place], seconds[place] = found["v"][there], found["seconds"][there]
    return Later(float((on - night).days), unknown, seconds)


def nights_left(
    windows: QuerySet[VisibilityWindow], targets: IntArray, night: dt.date, last_whole: dt.date
) -> FloatArray:
    """Further nights until the last with a window (n,), inf where the last stored night has one: nothing is lost."""
    left = np.full(targets.size, np.inf)
    if night >= last_whole:
        return left
    at_the_end = of_night(windows, last_whole).order_by().values("target_id").distinct()
    place, _ = _places(targets, arrays_of(at_the_end, {"target_id": ID})["target_id"])
    lost = np.ones(targets.size, dtype=bool)
    lost[place] = False
    remaining = windows.filter(target_id__in=targets[lost].tolist(), night__range=(night, last_whole))
    lasts = remaining.filter(night_ends_on__gte=night).order_by().values("target_id").annotate(last=Max("night"))
    found = arrays_of(lasts, {"target_id": ID, "last": DATE})
    left[lost] = 0.0
    place, there = _places(targets, found["target_id"])
    left[place] = (found["last"][there] - np.datetime64(night, "D")).astype(float)
    return left


@dataclass(frozen=True)
class Places:
    """How well the places of targets (n,) are known on days from the night's label on, (n, days); NaN where not known.

    trust holds numbers of Trust, NaN where not known.
    """

    sigma_arcsec: FloatArray
    trust: FloatArray

    @classmethod
    def read(cls, targets: IntArray, night: dt.date) -> Places:
        rows = Ephemeris.objects.filter(target_id__in=targets.tolist()).values_list(
            "target_id", "starts_at", "sigma_major_arcsec", "trust_levels"
        )
        told = list(rows)
        days = max((len(levels or []) for *_, levels in told), default=1)
        places = {target: row for row, target in enumerate(targets.tolist())}
        sigma, trust = np.full((targets.size, days), np.nan), np.full((targets.size, days), np.nan)
        for target, starts_at, major, levels in told:
            first = (night - starts_at.astimezone(dt.UTC).date()).days
            if first >= 0:
                for into, values in ((sigma, major), (trust, levels)):
                    kept = (values or [])[first : first + days]
                    into[places[target], : len(kept)] = kept
        return cls(sigma, trust)

    def on(self, row: IntArray, day: IntArray) -> tuple[FloatArray, FloatArray]:
        """Sigma and trust of targets (k,) by their rows, on days (k,)."""
        day = np.minimum(day, self.sigma_arcsec.shape[1] - 1)
        return self.sigma_arcsec[row, day], self.trust[row, day]

    def nights_that_fit(self, row: IntArray, day: IntArray, largest_arcsec: FloatArray) -> FloatArray:
        """Further nights (k,) until sigma is larger; 0 where it is, inf where it never is, NaN where not known."""
        days = np.arange(self.sigma_arcsec.shape[1])
        beyond = (self.sigma_arcsec[row] > largest_arcsec[:, None]) & (days >= day[:, None])
        nights = np.where(beyond.any(axis=1), beyond.argmax(axis=1) - day - 1.0, np.inf)
        return np.where(np.isnan(self.on(row, day)[0]), np.nan, np.maximum(nights, 0.0))


def solution_figures(orbit_ids: IntArray, night: dt.date) -> dict[str, FloatArray]:
    """Of orbits (n,): h_mag, arc_days, u, unseen_days (to the night), moid_au; NaN where not known."""
    conic = ("a_au", "q_au", "e", "i_deg", "node_deg", "peri_deg")
    names = ("h_mag", "arc_days", "u_parameter", "last_observed_on", *conic)
    rows = {pk: row for pk, *row in Orbit.objects.filter(pk__in=orbit_ids.tolist()).values_list("pk", *names)}
    told = [rows[pk] for pk in orbit_ids.tolist()]
    u = [_LETTERS[row[2]] if row[2] in _LETTERS else float(row[2]) if row[2] else math.nan for row in told]
    unseen = [math.nan if row[3] is None else float((night - row[3]).days) for row in told]
    figures = {"h_mag": _numbers(row[0] for row in told), "arc_days": _numbers(row[1] for row in told)}
    figures |= {"u": np.array(u, dtype=float), "unseen_days": np.array(unseen, dtype=float)}
    return figures | {"moid_au": _moids_of(orbit_ids, [row[4:] for row in told])}


def _moids_of(orbit_ids: IntArray, conics: Sequence[Sequence[float | None]]) -> FloatArray:
    missing = [row for row, pk in enumerate(orbit_ids.tolist()) if pk not in _moids]
    if missing:
        a, q, *rest = (_numbers(conics[row][column] for row in missing) for column in range(6))
        found = moid_au(np.where(np.isnan(q), a * (1.0 - rest[0]), q), *rest)
        if len(_moids) + len(missing) > _MOST_KNOWN:
            _moids.clear()
            return _moids_of(orbit_ids, conics)
        _moids.update(zip(orbit_ids[missing].tolist(), found.tolist(), strict=True))
    return np.array([_moids[pk] for pk in orbit_ids.tolist()], dtype=float)


def risk_figures(targets: IntArray) -> dict[str, FloatArray]:
    """Of targets (n,): probability, palermo, torino, diameter_km; is_listed: 1 or 0, NaN where no list is at hand."""
    names = ("impact_probability", "palermo_cumulative", "torino_maximum", "diameter_km")
    rows = list(RiskAssessment.objects.filter(ended_at=None).values_list("target_id", *names))
    table = _table(targets, rows, len(names))
    figures = dict(zip(("probability", "palermo", "torino", "diameter_km"), table, strict=True))
    listed = np.isin(targets, np.array([row[0] for row in rows], dtype=np.int64)).astype(float)
    return figures | {"is_listed": listed if rows else np.full(targets.size, np.nan)}


def candidate_figures(targets: IntArray) -> dict[str, FloatArray]:
    """Of targets (n,) that wait for confirmation: digest2_score, scout_score, rating, sigma_arcsec; is_candidate: 1 or
    0.
    """
    names = ("neocp_score", "neo_score", "impact_rating", "uncertainty_arcmin")
    listed = Candidate.objects.filter(fate=Candidate.Fate.LISTED).filter(Q(on_neocp=True) | Q(on_scout=True))
    rows = list(listed.order_by("pk").values_list("target_id", *names))
    digest2, scout, rating, arcmin = _table(targets, rows, len(names))
    is_candidate = np.isin(targets, np.array([row[0] for row in rows], dtype=np.int64)).astype(float)
    return {
        "digest2_score": digest2, "scout_score": scout, "rating": rating, "sigma_arcsec": arcmin * 60.0,
        "is_candidate": is_candidate,
    }  # fmt: skip


def telescope_figures(telescopes: IntArray) -> dict[str, FloatArray]:
    """Of telescopes (n,): limiting_v_mag, rate_max_arcsec_min (NaN: no limit), field_side_arcsec and
    largest_sigma_arcsec.
    """
    rows = Telescope.objects.in_bulk(np.unique(telescopes).tolist())
    known = [rows[pk] for pk in telescopes.tolist()]
    largest = _numbers(quality.largest_sigma_arcsec(each) for each in known)
    return {
        "limiting_v_mag": _numbers(each.limiting_v_mag for each in known),
        "rate_max_arcsec_min": _numbers(each.rate_max_arcsec_min for each in known),
        "field_side_arcsec": largest * quality.FIELD_SIGMAS,
        "largest_sigma_arcsec": largest,
    }


def _table(targets: IntArray, rows: Sequence[Sequence[Any]], width: int) -> FloatArray:
    """Columns (width, n) of rows that begin with a target; NaN where there is none or nothing in it."""
    table = np.full((width, targets.size), np.nan)
    places = {target: place for place, target in enumerate(targets.tolist())}
    for target, *values in rows:
        if target in places:
            table[:, places[target]] = _numbers(values)
    return table


def _places(targets: IntArray, found: IntArray) -> tuple[IntArray, NDArray[np.bool_]]:
    """Rows among sorted targets of those found that are among them, and which these are."""
    there = np.isin(found, targets)
    return np.searchsorted(targets, found[there]), there


def _numbers(values: Iterable[float | None]) -> FloatArray:
    return np.array([math.nan if value is None else value for value in values], dtype=float)
