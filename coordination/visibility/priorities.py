"""Which targets deserve a night most: the ranked list, with every part of each score and the figures behind it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coordination.common import clock
from coordination.common.actors import ANONYMOUS, Actor
from coordination.common.problems import DomainError
from observatories.models import Telescope
from targets.models import Target
from targets.orbits.trust import Trust

from . import priority_rows, quality
from .almanac import night_of
from .computing import place_of
from .models import VisibilityWindow
from .planning import stored_span
from .priority import measures
from .priority.scoring import PARTS, Scores, Weights, score
from .priority_weights import current_weights

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LATER_NIGHTS = 3  # fading and closing windows are seen from here on
# The figure behind each measure: its unit, and how many decimals mean anything.
FIGURES: Mapping[str, tuple[str, int]] = {
    "size": ("km", 3), "moid": ("au", 4), "impact": ("", 12), "confirmation": ("", 0), "uncertainty": ("arcsec", 2),
    "arc": ("d", 1), "u": ("", 0), "unseen": ("d", 0), "last_chance": ("nights", 0), "fading": ("mag/d", 3),
    "leaving_field": ("nights", 0), "closing": ("h", 2), "exposure": ("mag", 2), "rate": ("arcsec/min", 3),
    "length": ("h", 2), "altitude": ("deg", 1),
}  # fmt: skip


@dataclass(frozen=True)
class Measure:
    """One reason. value: 0 to 1, None where not known (it then neither raises nor lowers its part); figure: what it was
    made from, in `unit`, None where there is none.
    """

    value: float | None
    figure: float | None
    unit: str


@dataclass(frozen=True)
class Part:
    """value: 0 to 1; is_known: false where nothing of it is known and it is neutral."""

    value: float
    is_known: bool
    measures: dict[str, Measure]


@dataclass(frozen=True)
class RankedTarget:
    """score: 0 to 1; parts: importance, need, urgency, cost (1 is costly); telescope_id: that for which it holds, of
    all with a window that with the highest.
    """

    rank: int
    target_id: int
    designation: str
    name: str
    telescope_id: int
    telescope: str
    telescope_count: int
    hours: float  # of windows of that telescope in the night
    v_mag: float
    orbit_trust: str | None
    score: float
    parts: dict[str, Part]


@dataclass(frozen=True)
class Ranking:
    """The best `results` of the `count` targets that have windows in the night."""

    night: dt.date
    telescope: Telescope | None
    orbits: Trust  # the worst that is listed
    weights: Weights
    count: int
    results: list[RankedTarget]


def ranked_targets(
    night: dt.date | None = None,
    *,
    telescope_id: int | None = None,
    limit: int | None = 50,
    actor: Actor = ANONYMOUS,
    worst: Trust = quality.LISTED,
) -> Ranking:
    """Targets with stored windows in a night, the highest score first.

    night: local date of its evening; None: the one under way or coming (`night_now`). telescope_id: only its windows,
    its limits, its last chances; None: all telescopes, each target with the one for which it scores best. limit: None
    for all. worst: orbits that are worse on the night are left out. Only what the actor may know of is ranked. Raises
    DomainError for an unknown telescope and for nights outside the stored span.
    """
    telescope = None if telescope_id is None else _telescope(telescope_id)
    night = night or night_now(telescope)
    last_whole = _require_stored(night)
    weights = current_weights()
    windows = VisibilityWindow.objects.visible_to(actor)
    if telescope is not None:
        windows = windows.filter(telescope=telescope)
    found = _Night.read(windows, night, last_whole, worst)
    scores = score(found.measures, weights)
    best = _best_of_targets(found.row, scores.score, found.pairs.telescope_id)
    order = best[np.lexsort((found.pairs.target_id[best], -scores.score[best]))]
    shown = order if limit is None else order[:limit]
    results = _rows(found, scores, shown)
    return Ranking(night, telescope, worst, weights, int(best.size), results)


def night_now(telescope: Telescope | None = None) -> dt.date:
    """The night under way or coming: at a telescope from its local noon; of all, from 12:00 UTC."""
    now = clock.now()
    place = None if telescope is None else place_of(telescope)
    if place is None:
        return (now - dt.timedelta(hours=12)).date()
    return night_of(place, now)


def _telescope(telescope_id: int) -> Telescope:
    found = Telescope.objects.select_related("observatory", "organisation").filter(pk=telescope_id).first()
    if found is None:
        raise DomainError(f"There is no telescope {telescope_id}.", field="telescope", value=telescope_id)
    if found.observatory.place is None:
        raise DomainError("It has no fixed place: no windows can be computed.", field="telescope", value=telescope_id)
    return found


def _require_stored(night: dt.date) -> dt.date:
    """The last night that is stored whole for every telescope."""
    span = stored_span()
    if span is None:
        raise DomainError("No windows are computed yet.", field="night", value=str(night))
    first, end = span.starts_at.date(), span.ends_at.date()
    earliest, latest = first - dt.timedelta(days=1), end - dt.timedelta(days=1)
    if not earliest <= night <= latest:
        raise DomainError(
            f"No windows are stored for the night {night}.",
            field="night",
            value=str(night),
            expected=f"{earliest} to {latest}",
        )
    return end - dt.timedelta(days=2)


@dataclass(frozen=True)
class _Night:
    """Pairs of a night with their measures; `row`: the place of each pair's target among the targets."""

    pairs: priority_rows.Pairs
    row: IntArray
    trust: FloatArray
    measures: dict[str, FloatArray]
    figures: dict[str, FloatArray]

    @classmethod
    def read(cls, windows: Any, night: dt.date, last_whole: dt.date, worst: Trust) -> _Night:
        pairs = priority_rows.Pairs.read(priority_rows.of_night(windows, night))
        targets, row = np.unique(pairs.target_id, return_inverse=True)
        places = priority_rows.Places.read(targets, night)
        day = (pairs.ends_on - np.datetime64(night, "D")).astype(np.int64)
        sigma, trust = places.on(row, day)
        kept = np.flatnonzero((trust <= worst.value) | (worst == quality.LEVELS[-1]))
        pairs, sigma, trust, day = pairs.take(kept), sigma[kept], trust[kept], day[kept]
        # Rows of targets that are left out now stay in `places` only.
        at, (targets, first, row) = row[kept], np.unique(pairs.target_id, return_index=True, return_inverse=True)
        instruments = priority_rows.telescope_figures(pairs.telescope_id)
        fits = places.nights_that_fit(at, day, instruments["largest_sigma_arcsec"])
        orbit = priority_rows.solution_figures(pairs.orbit_id[first], night)
        seen = _seen(windows, pairs, targets, row, night, last_whole)
        risk, candidate = priority_rows.risk_figures(targets), priority_rows.candidate_figures(targets)
        sigma = np.where(np.isnan(sigma), candidate["sigma_arcsec"][row], sigma)
        known, told = _of_targets(orbit, risk, candidate, seen)
        values = {name: each[row] for name, each in known.items()}
        figures = {name: each[row] for name, each in told.items()}
        values |= _of_pairs(pairs, sigma, fits, instruments)
        figures |= {
            "uncertainty": sigma, "leaving_field": fits, "exposure": instruments["limiting_v_mag"] - pairs.v_mag,
            "rate": pairs.rate_arcsec_min, "length": pairs.seconds / 3600.0, "altitude": pairs.altitude_deg,
        }  # fmt: skip
        return cls(pairs, row, trust, values, figures)


def _seen(
    windows: Any, pairs: priority_rows.Pairs, targets: IntArray, row: IntArray, night: dt.date, last_whole: dt.date
) -> dict[str, FloatArray]:
    """How targets (n,) go on after the night: nights left, fading in mag/d, seconds of windows now and later."""
    later = priority_rows.later(windows, targets, night, min(night + dt.timedelta(days=LATER_NIGHTS), last_whole))
    brightest = np.full(targets.size, np.inf)
    np.minimum.at(brightest, row, pairs.v_mag)
    return {
        "nights_left": priority_rows.nights_left(windows, targets, night, last_whole),
        "fading": (later.v_mag - brightest) / later.days,
        "seconds": np.bincount(row, pairs.seconds, minlength=targets.size),
        "later_seconds": later.seconds,
    }


def _of_targets(
    orbit: dict[str, FloatArray], risk: dict[str, FloatArray], candidate: dict[str, FloatArray], seen: dict[str, Any]
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Measures that are the same for every telescope, and the figures behind them."""
    diameter = measures.diameter_km(risk["diameter_km"], orbit["h_mag"])
    score_of = np.fmax(candidate["digest2_score"], candidate["scout_score"])
    values = {
        "size": measures.size(diameter),
        "moid": measures.moid(orbit["moid_au"]),
        "impact": measures.impact(
            risk["probability"], risk["palermo"], risk["torino"], candidate["rating"], risk["is_listed"]
        ),
        "confirmation": measures.confirmation(
            candidate["digest2_score"], candidate["scout_score"], candidate["is_candidate"] > 0.0
        ),
        "arc": measures.arc(orbit["arc_days"]),
        "u": measures.u_parameter(orbit["u"]),
        "unseen": measures.unseen(orbit["unseen_days"]),
        "last_chance": measures.within_nights(seen["nights_left"]),
        "fading": measures.fading(seen["fading"]),
        "closing": measures.closing(seen["seconds"], seen["later_seconds"]),
    }
    figures = {
        "size": diameter, "moid": orbit["moid_au"], "impact": risk["probability"], "confirmation": score_of,
        "arc": orbit["arc_days"], "u": orbit["u"], "unseen": orbit["unseen_days"], "last_chance": seen["nights_left"],
        "fading": seen["fading"], "closing": (seen["later_seconds"] - seen["seconds"]) / 3600.0,
    }  # fmt: skip
    return values, figures


def _of_pairs(
    pairs: priority_rows.Pairs, sigma: FloatArray, fits: FloatArray, instruments: dict[str, FloatArray]
) -> dict[str, FloatArray]:
    """Measures that depend on the telescope."""
    fields = measures.pointings(sigma, instruments["field_side_arcsec"])
    return {
        "uncertainty": measures.uncertainty(sigma),
        "leaving_field": measures.within_nights(fits),
        "exposure": measures.exposure(pairs.v_mag, instruments["limiting_v_mag"], fields),
        "rate": measures.rate(pairs.rate_arcsec_min, instruments["rate_max_arcsec_min"]),
        "length": measures.shortness(pairs.seconds),
        "altitude": measures.airmass(pairs.airmass),
    }


def _best_of_targets(row: IntArray, scores: FloatArray, telescope: IntArray) -> IntArray:
    """The pair of each target that scores highest; of equals that with the lowest telescope."""
    order = np.lexsort((telescope, -scores, row))
    return order[np.flatnonzero(np.diff(row[order], prepend=-1))]


def _rows(found: _Night, scores: Scores, shown: IntArray) -> list[RankedTarget]:
    pairs = found.pairs
    targets = Target.objects.in_bulk(pairs.target_id[shown].tolist())
    telescopes = Telescope.objects.in_bulk(np.unique(pairs.telescope_id[shown]).tolist())
    counts = np.bincount(found.row)
    rows = []
    for rank, k in enumerate(shown.tolist(), start=1):
        target, telescope = targets[int(pairs.target_id[k])], telescopes[int(pairs.telescope_id[k])]
        trust = found.trust[k]
        rows.append(
            RankedTarget(
                rank=rank,
                target_id=target.pk,
                designation=target.designation,
                name=target.name,
                telescope_id=telescope.pk,
                telescope=telescope.name,
                telescope_count=int(counts[found.row[k]]),
                hours=float(pairs.seconds[k]) / 3600.0,
                v_mag=float(pairs.v_mag[k]),
                orbit_trust=None if math.isnan(trust) else Trust(int(trust)).label,
                score=float(scores.score[k]),
                parts={part: _part(found, scores, part, k) for part in PARTS},
            )
        )
    return rows


def _part(found: _Night, scores: Scores, part: str, k: int) -> Part:
    told = {}
    for name in PARTS[part]:
        unit, decimals = FIGURES[name]
        value, figure = _rounded(found.measures[name][k], 4), _rounded(found.figures[name][k], decimals)
        told[name] = Measure(value, figure, unit)
    return Part(float(scores.parts[part][k]), bool(scores.is_known[part][k]), told)


def _rounded(value: float, decimals: int) -> float | None:
    return round(float(value), decimals) if math.isfinite(value) else None
