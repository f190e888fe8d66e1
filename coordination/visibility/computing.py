"""One chunk of work: from targets and telescopes in the database to the windows in it."""

import datetime as dt
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coordination.common.timescales import tt_mjd_to_utc, utc_to_tt_mjd
from observatories.models import Closure, Telescope
from observatories.services import closures_between, telescopes_for_windows, versions_alike
from observatories.sites.earth_orientation import version_in_use
from observatories.sites.geodesy import Place
from observatories.sites.nights import noon_utc
from targets.services.ephemerides import CurrentEphemerides, Span, planets, refresh_ephemerides

from . import storage
from .engine.cells import Observing
from .engine.cells import Telescope as EngineTelescope
from .engine.closures import Closures, without_closures
from .engine.impact import until_impact
from .engine.limits import Limits
from .engine.observe import observe
from .engine.quantities import Quantities, describe
from .engine.table import WindowTable
from .engine.windows import find_windows

# Goes up whenever the search changes a window: what an older version found is stale then.
ENGINE_VERSION = "2"

# What of a telescope decides its windows, beside its place.
LIMIT_FIELDS = (
    "sun_altitude_max_deg",
    "altitude_min_deg",
    "altitude_max_deg",
    "hour_angle_min_h",
    "hour_angle_max_h",
    "horizon_mask",
    "moon_separation_min_deg",
    "moon_separation_new_deg",
    "galactic_latitude_min_deg",
    "limiting_v_mag",
    "rate_max_arcsec_min",
    "window_min_s",
)

_DAY = dt.timedelta(days=1)
_kept: dict[tuple[str, Span, tuple[tuple[int, str], ...]], Observing] = {}  # the tables of the latest chunk


def plannable_telescopes() -> list[Telescope]:
    """Active telescopes at fixed places."""
    active = Telescope.objects.filter(state=Telescope.State.ACTIVE, observatory__kind="fixed")
    return list(active.select_related("observatory").order_by("pk"))


def faintest_v_mag(telescopes: Sequence[Telescope]) -> float:
    """What the deepest of the telescopes reaches: targets that stay fainter need no positions."""
    return max((telescope.limiting_v_mag for telescope in telescopes), default=0.0)


def earth_orientation_versions(span: Span) -> list[str]:
    """Of the tables with which windows of the span are found alike, the one in use first."""
    return versions_alike(span.start_tt_mjd, span.end_tt_mjd)


def telescope_fingerprints(telescopes: Iterable[Telescope], span: Span) -> dict[int, str]:
    """By telescope, what changes when its windows would: its place, its limits, its closures inside the span, the
    search. One query.
    """
    rows = {telescope.pk: telescope for telescope in telescopes}
    closed = defaultdict(list)
    for closure in closures_between(rows, span.starts_at, span.ends_at):
        closed[closure.telescope_id].append((closure.starts_at.isoformat(), closure.ends_at.isoformat()))
    return {pk: _fingerprint(telescope, closed[pk]) for pk, telescope in rows.items()}


def _fingerprint(telescope: Telescope, closed: list[tuple[str, str]]) -> str:
    observatory = telescope.observatory
    parts: list[Any] = [ENGINE_VERSION, observatory.longitude_deg, observatory.latitude_deg, observatory.height_m]
    parts += [getattr(telescope, name) for name in LIMIT_FIELDS]
    parts += sorted(closed)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def engine_closures(closures: Iterable[Closure], telescope_ids: Sequence[int]) -> Closures:
    """Stored closures as the window search takes them; telescopes are told by their place in `telescope_ids`."""
    index = {pk: k for k, pk in enumerate(telescope_ids)}
    rows = list(closures)
    return Closures(
        telescope=np.array([index[row.telescope_id] for row in rows], dtype=np.int64),
        start_tt_mjd=np.array([utc_to_tt_mjd(row.starts_at) for row in rows], dtype=float),
        end_tt_mjd=np.array([utc_to_tt_mjd(row.ends_at) for row in rows], dtype=float),
        reasons=[row.reason for row in rows],
    )


def place_of(telescope: Telescope) -> Place:
    """Where a telescope stands that can be planned."""
    place = telescope.observatory.place
    if place is None:
        raise ValueError(f"{telescope} has no fixed place")
    return place


def engine_telescope(telescope: Telescope) -> EngineTelescope:
    """What the window search needs to know of a stored telescope."""
    first, last = telescope.hour_angle_min_h, telescope.hour_angle_max_h
    limits = Limits(
        sun_alt_deg=telescope.sun_altitude_max_deg,
        min_alt_deg=telescope.altitude_min_deg,
        max_alt_deg=telescope.altitude_max_deg if telescope.altitude_max_deg < 90.0 else None,
        hour_angle_h=None if first is None or last is None else (first, last),
        horizon=telescope.horizon,
        moon_sep_deg=telescope.moon_separation_min_deg,
        moon_sep_new_deg=telescope.moon_separation_new_deg,
        galactic_latitude_min_deg=telescope.galactic_latitude_min_deg,
        v_limit_mag=telescope.limiting_v_mag,
        max_rate_arcsec_min=telescope.rate_max_arcsec_min,
        min_duration_minutes=telescope.window_min_s / 60.0,
    )
    return EngineTelescope(place_of(telescope), limits, telescope.name)


def _kept_observing(telescopes: Sequence[Telescope], span: Span) -> Observing:
    """The tables of telescopes over a span, kept: the chunks of one computation ask for the same."""
    key = (version_in_use(), span, tuple((telescope.pk, _fingerprint(telescope, [])) for telescope in telescopes))
    if key not in _kept:
        _kept.clear()
        engine_telescopes = [engine_telescope(telescope) for telescope in telescopes]
        _kept[key] = observe(engine_telescopes, span.start_tt_mjd, span.end_tt_mjd, planets())
    return _kept[key]


def replace_windows(
    target_ids: Sequence[int], telescope_ids: Sequence[int], span: Span, true_until: dt.datetime | None = None
) -> int:
    """Bring the ephemerides of targets up to date and replace their windows at telescopes; the number of windows.

    Stored are the nights that begin inside the span and on which the orbit is not unusable; windows of earlier nights
    stay as they are. Where all windows up to `true_until` are stored, the end of an earlier span, only the nights that
    it could cut are replaced, and those beyond it are added. To be called inside a transaction: readers see the old
    windows or the new ones.
    """
    telescopes = telescopes_for_windows(telescope_ids)
    faintest = faintest_v_mag(plannable_telescopes())
    current = refresh_ephemerides(target_ids, span, faintest, earth_orientation_versions(span))
    first_end = span.starts_at.date() + _DAY  # a night that ends later began inside the span
    searched = span
    if true_until is not None:
        # A window cut there may go on over the noon before, and then counts as long as the whole. What the search
        # itself cuts, at its beginning, lies a day before the first night that is replaced: long enough for any.
        first_end = max(first_end, true_until.date() - _DAY)
        searched = Span(max(span.starts_at, true_until - 3 * _DAY), span.ends_at)
    storage.delete_windows(target_ids, telescope_ids, first_end)
    if not telescopes or not current.groups:
        return 0
    tables = _kept_observing(telescopes, searched)
    closures = engine_closures(closures_between(telescope_ids, searched.starts_at, span.ends_at), telescope_ids)
    table = until_impact(find_windows(current.groups, tables), current.impact_tt_mjd, tables.least_days)
    table = without_closures(table, closures, tables.least_days)
    columns = _columns(table, describe(table, current.groups, tables), telescopes, current)
    stored = np.asarray(columns["night_ends_on"] >= np.datetime64(first_end))
    stored &= ~current.unusable(table.target, columns["night_ends_on"].astype("datetime64[D]"))
    storage.copy_windows({name: values[stored] for name, values in columns.items()})
    return int(stored.sum())


def _columns(
    table: WindowTable, quantities: Quantities, telescopes: Sequence[Telescope], current: CurrentEphemerides
) -> dict[str, NDArray[np.generic]]:
    """The columns of storage.COLUMNS for found windows."""
    telescope_ids = np.array([telescope.pk for telescope in telescopes])
    return {
        "target_id": current.target_id[table.target],
        "telescope_id": telescope_ids[table.telescope],
        "ephemeris_id": current.ephemeris_id[table.target],
        "orbit_id": current.orbit_id[table.target],
        **window_figures(table, quantities, [place_of(telescope) for telescope in telescopes]),
    }


def window_figures(
    table: WindowTable, quantities: Quantities, places: Sequence[Place]
) -> dict[str, NDArray[np.generic]]:
    """What is told of found windows from places, by column of a stored window."""
    noon_offsets = [noon_utc(place, np.datetime64(0, "D")) - np.datetime64(0, "us") for place in places]
    noon_us = np.array(noon_offsets, dtype="timedelta64[us]")[table.telescope]
    starts_at, ends_at = tt_mjd_to_utc(table.start_tt_mjd), tt_mjd_to_utc(table.end_tt_mjd)
    night_ends_at = (table.night + np.timedelta64(1, "D")).astype("datetime64[us]") + noon_us
    return {
        "night_ends_on": night_ends_at.astype("datetime64[D]"),
        "night": table.night,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "duration_s": (ends_at - starts_at) / np.timedelta64(1, "s"),
        "opened_by": table.opened_by,
        "closed_by": table.closed_by,
        "peak_at": tt_mjd_to_utc(quantities.peak_tt_mjd),
        "peak_altitude_deg": quantities.max_alt_deg,
        "peak_airmass": quantities.airmass,
        "v_mag": quantities.v_mag,
        "rate_arcsec_min": quantities.rate_arcsec_min,
        "position_angle_deg": quantities.pa_deg,
        "moon_separation_deg": quantities.moon_sep_deg,
        "start_ra_deg": quantities.ra_deg[:, 0],
        "start_dec_deg": quantities.dec_deg[:, 0],
        "middle_ra_deg": quantities.ra_deg[:, 1],
        "middle_dec_deg": quantities.dec_deg[:, 1],
        "end_ra_deg": quantities.ra_deg[:, 2],
        "end_dec_deg": quantities.dec_deg[:, 2],
    }
