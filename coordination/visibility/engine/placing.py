"""Where an observation of a given length can lie in joint windows, and who can take part all through it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from coordination.common.timescales import tt_mjd_to_utc, utc_to_tt_mjd
from coordination.visibility.engine.joint import JointTable, Windows
from coordination.visibility.engine.segments import Segments, segments_of

FloatArray = NDArray[np.float64]
_MINUTE = np.timedelta64(1, "m")
_EPSILON_DAYS = 1e-3 / 86400.0


def placements(joint: JointTable, windows: Windows, telescopes: int, length_days: float) -> Segments:
    """Candidates for an observation of one target, as segments of exactly that length, with all telescopes that can
    observe from its beginning to its end.

    In each joint window that is long enough: in the middle of every segment, where most have the target well up, and
    against both of its ends. Starts are whole minutes of UTC where that fits.
    """
    segments = segments_of(joint, windows, telescopes)
    middle = 0.5 * (segments.start_tt_mjd + segments.end_tt_mjd - length_days)
    starts = np.concatenate([middle, segments.start_tt_mjd, segments.end_tt_mjd - length_days])
    of = np.tile(segments.joint, 3)
    first, last = joint.start_tt_mjd[of], joint.end_tt_mjd[of] - length_days
    fits = last >= first - _EPSILON_DAYS
    starts, first, last, of = starts[fits], first[fits], last[fits], of[fits]
    starts = _on_whole_minutes(np.clip(starts, first, np.maximum(first, last)), first, last)
    keys = np.unique(np.column_stack([of.astype(float), starts]), axis=0)
    of, starts = keys[:, 0].astype(np.int64), keys[:, 1]
    inside = windows.start_tt_mjd <= starts[:, None] + _EPSILON_DAYS
    inside &= windows.end_tt_mjd >= starts[:, None] + length_days - _EPSILON_DAYS
    candidate, window = np.nonzero(inside)
    members = np.unique(np.column_stack([candidate, windows.telescope[window]]), axis=0)
    return Segments(
        joint=of,
        start_tt_mjd=starts,
        end_tt_mjd=starts + length_days,
        offset=np.searchsorted(members[:, 0], np.arange(of.size + 1)),
        telescope=members[:, 1],
    )


def _on_whole_minutes(starts: FloatArray, first: FloatArray, last: FloatArray) -> FloatArray:
    """Starts at the next whole minute of UTC, or the one before, where that lies in [first, last]; else as they are."""
    utc = tt_mjd_to_utc(starts)
    before = utc.astype("datetime64[m]")
    result = starts.copy()
    for minute in (before, before + _MINUTE):
        moved = utc_to_tt_mjd(minute.astype("datetime64[us]"))
        result = np.where((moved >= first) & (moved <= last), moved, result)
    return result
