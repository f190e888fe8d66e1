"""When it is dark enough at a telescope."""

import datetime as dt
from dataclasses import dataclass

from coordination.common.problems import DomainError
from coordination.common.timescales import to_datetime, tt_mjd_to_utc
from observatories.models import Telescope
from targets.services.ephemerides import Span, planets

from .computing import engine_telescope
from .engine.observe import observe


@dataclass(frozen=True)
class DarkHours:
    """An interval in which the Sun is below the telescope's limit, and the night in which it begins."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    night: dt.date


def dark_hours(telescope: Telescope, span: Span) -> list[DarkHours]:
    """In order of time; cut at the noons where it stays dark all day, and at the ends of the span. No query for a
    telescope with its observatory at hand. Raises DomainError for a telescope without a fixed place and for spans
    outside the planetary kernel or the known rotation of the Earth, naming what is covered.
    """
    if telescope.observatory.place is None:
        raise DomainError(f"{telescope} has no fixed place: it has no nights.", field="telescope", value=telescope.pk)
    try:
        cells = observe([engine_telescope(telescope)], span.start_tt_mjd, span.end_tt_mjd, planets()).nights
    except ValueError as error:
        raise DomainError(str(error), field="before", value=span.ends_at) from error
    starts, ends = tt_mjd_to_utc(cells.start_tt_mjd), tt_mjd_to_utc(cells.end_tt_mjd)
    return [
        DarkHours(to_datetime(start), to_datetime(end), night)
        for start, end, night in zip(starts, ends, cells.night.tolist(), strict=True)
    ]
