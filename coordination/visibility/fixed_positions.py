"""Windows of a fixed place on the sky at stored telescopes, computed when they are asked for."""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from coordination.common.problems import DomainError
from coordination.common.timescales import to_datetime, tt_mjd_to_utc
from observatories.models import Telescope
from observatories.services import closures_between
from targets.orbits.fixed_directions import blocks_of_directions
from targets.services.ephemerides import Span, planets

from .computing import engine_closures, engine_telescope
from .engine.closures import without_closures
from .engine.observe import observe
from .engine.quantities import describe
from .engine.windows import find_windows


@dataclass(frozen=True)
class PositionWindow:
    """A window of one telescope; what is said of the Moon is said of the instant of the greatest altitude."""

    telescope_id: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    peak_altitude_deg: float
    moon_separation_deg: float


def windows_of_position(
    ra_deg: float, dec_deg: float, telescopes: Sequence[Telescope], span: Span
) -> list[PositionWindow]:
    """Windows of an ICRS position at active telescopes with fixed places, in order of telescopes and time, closures
    taken out. A limiting magnitude and a fastest motion do not apply. One query. Raises DomainError.
    """
    if not telescopes:
        return []
    without = [engine_telescope(telescope) for telescope in telescopes]
    without = [replace(one, limits=replace(one.limits, v_limit_mag=None, max_rate_arcsec_min=None)) for one in without]
    days = math.ceil(span.end_tt_mjd - span.start_tt_mjd)
    try:
        observing = observe(without, span.start_tt_mjd, span.end_tt_mjd, planets())
        blocks = blocks_of_directions([ra_deg], [dec_deg], span.start_tt_mjd, days, planets())
    except ValueError as error:
        raise DomainError(str(error), field="position", value=f"{ra_deg:g},{dec_deg:g}") from error
    ids = [telescope.pk for telescope in telescopes]
    closed = engine_closures(closures_between(ids, span.starts_at, span.ends_at), ids)
    table = without_closures(find_windows(blocks, observing, cut_at_nights=False), closed, observing.least_days)
    told = describe(table, blocks, observing)
    starts, ends = (tt_mjd_to_utc(times) for times in (table.start_tt_mjd, table.end_tt_mjd))
    return [
        PositionWindow(
            telescope_id=ids[table.telescope[k]],
            starts_at=to_datetime(starts[k]),
            ends_at=to_datetime(ends[k]),
            peak_altitude_deg=float(told.max_alt_deg[k]),
            moon_separation_deg=float(told.moon_sep_deg[k]),
        )
        for k in range(table.n)
    ]
