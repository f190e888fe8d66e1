"""Windows of many targets at places under limits that need not be those of a stored telescope: one part of such work,
from the current orbits to rows that nobody has stored.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coordination.common.timescales import iso_utc, tt_mjd_to_utc, utc_to_tt_mjd
from observatories.models import Observatory, Telescope
from observatories.services import closures_between
from targets.orbits.trust import Trust
from targets.services import OrbitRows, orbit_batch
from targets.services.ephemerides import Span, planets, plannable_targets
from targets.services.orbit_quality import published_knowledge

from .computing import LIMIT_FIELDS, engine_closures, engine_telescope, place_of, window_figures
from .engine.closures import Closures, without_closures
from .engine.impact import until_impact
from .engine.observe import observe
from .engine.quantities import describe
from .engine.table import WindowTable
from .engine.windows import find_windows
from .models import ComputedWindow
from .trusting import Knowledge, Trusting
from .window_rows import groups_and_impacts

NO_ORBIT = "no orbit yet, or one of an epoch that the planetary kernel does not cover"


@dataclass(frozen=True)
class PlaceAsked:
    """Where from, and the limits in force there, by the names they have on a telescope; kept as JSON."""

    name: str
    mpc_code: str
    telescope: int | None
    longitude_deg: float
    latitude_deg: float
    height_m: float
    limits: dict[str, Any]

    @classmethod
    def of(cls, telescope: Telescope, limits: dict[str, Any]) -> "PlaceAsked":
        """A telescope, stored or not, with some of its limits replaced. Raises LimitsError, and ValueError without a
        fixed place.
        """
        place, observatory = place_of(telescope), telescope.observatory
        in_force = {name: getattr(telescope, name) for name in LIMIT_FIELDS} | limits
        where = (place.lon_deg, place.lat_deg, place.height_m)
        asked = cls(telescope.name, observatory.mpc_code or "", telescope.pk, *where, in_force)
        engine_telescope(asked.as_telescope())
        return asked

    def as_telescope(self) -> Telescope:
        """As computing takes telescopes; not stored."""
        observatory = Observatory(
            longitude_deg=self.longitude_deg, latitude_deg=self.latitude_deg, height_m=self.height_m
        )
        return Telescope(observatory=observatory, name=self.name, **self.limits)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Found:
    """Windows by target, place and time; and of targets left out, on some nights or on all, why."""

    windows: list[ComputedWindow]
    left_out: dict[int, str]


def windows_of(target_ids: Sequence[int], places: Sequence[PlaceAsked], span: Span, with_closures: bool) -> Found:
    """Windows of the current orbits, cut at the nights, closed at an impact, without the nights that end on a day on
    which the orbit is unusable, and without closures: what would be stored for telescopes with these limits. Six
    queries. Raises ValueError for spans outside the planetary kernel or the known rotation of the Earth.
    """
    plannable = list(plannable_targets().filter(pk__in=target_ids).order_by("pk").values_list("pk", flat=True))
    left_out = {pk: NO_ORBIT for pk in target_ids if pk not in set(plannable)}
    if not plannable:
        return Found([], left_out)
    rows, batch = orbit_batch(plannable, (span.starts_at, span.ends_at))
    telescopes = [place.as_telescope() for place in places]
    start, end = span.start_tt_mjd, span.end_tt_mjd
    observing = observe([engine_telescope(telescope) for telescope in telescopes], start, end, planets())
    knowledge = Knowledge(*published_knowledge(rows.target_id.tolist(), batch))
    trusting = Trusting.over(batch, knowledge, _midnights(span), planets())
    groups, impacts = groups_and_impacts(batch, start, end, planets())
    table = until_impact(find_windows(groups, observing), impacts, observing.least_days)
    if with_closures:
        table = without_closures(table, _closures(places, span), observing.least_days)
    quantities = describe(table, groups, observing)
    figures = window_figures(table, quantities, [place_of(telescope) for telescope in telescopes])
    found = _rows(table, figures, rows, places, trusting)
    told = trusting.left_out()
    for k in np.flatnonzero(np.isfinite(impacts)).tolist():
        told[k] = f"hits the Earth at {iso_utc(tt_mjd_to_utc(impacts[k]), 's')}: there is nothing to see after that"
    return Found(found, left_out | {int(rows.target_id[k]): text for k, text in told.items()})


def _midnights(span: Span) -> NDArray[np.float64]:
    """TT of the UTC midnights on which nights of a span can end."""
    first, last = span.starts_at.astimezone(dt.UTC).date(), span.ends_at.astimezone(dt.UTC).date()
    days = np.arange(np.datetime64(first), np.datetime64(last) + np.timedelta64(2, "D"))
    return np.asarray(utc_to_tt_mjd(days))


def _closures(places: Sequence[PlaceAsked], span: Span) -> Closures:
    ids = [place.telescope or 0 for place in places]
    return engine_closures(closures_between([pk for pk in ids if pk], span.starts_at, span.ends_at), ids)


def _rows(
    table: WindowTable,
    figures: dict[str, NDArray[np.generic]],
    rows: OrbitRows,
    places: Sequence[PlaceAsked],
    trusting: Trusting,
) -> list[ComputedWindow]:
    """The windows as rows, but those of nights that end on a day on which the orbit is unusable."""
    ends_on = figures.pop("night_ends_on").astype("datetime64[D]")
    midnights = utc_to_tt_mjd(ends_on)
    levels, sigmas = trusting.levels(table.target, midnights), trusting.sigma_arcsec(table.target, midnights)
    kept = np.flatnonzero(levels != Trust.UNUSABLE)
    columns = {name: _values(values[kept]) for name, values in figures.items()}
    columns["v_mag"] = [None if v != v else v for v in columns["v_mag"]]
    columns["uncertainty_major_arcsec"] = [None if sigma != sigma else sigma for sigma in sigmas[kept].tolist()]
    columns["trust"] = levels[kept].tolist()
    columns["target_id"] = rows.target_id[table.target[kept]].tolist()
    columns["orbit_id"] = rows.orbit_id[table.target[kept]].tolist()
    found = []
    for k, place in zip(range(kept.size), table.telescope[kept].tolist(), strict=True):
        asked = places[place]
        window = ComputedWindow(
            place=place, place_name=asked.name, mpc_code=asked.mpc_code, telescope_id=asked.telescope,
            **{name: values[k] for name, values in columns.items()},
        )  # fmt: skip
        found.append(window)
    return found


def _values(values: NDArray[Any]) -> list[Any]:
    """As Python has them; instants aware."""
    if values.dtype.kind == "M" and values.dtype != "datetime64[D]":
        return [instant.replace(tzinfo=dt.UTC) for instant in values.astype("datetime64[us]").tolist()]
    return list(values.tolist())
