"""The last night on which each telescope can still reach a target, and by what it is lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordination.common.timescales import tt_mjd_to_utc
from coordination.visibility.engine.cells import Observing
from coordination.visibility.engine.closures import Closures
from coordination.visibility.engine.explain import Absence, explain
from coordination.visibility.engine.table import WindowTable
from observatories.sites.geodesy import Place
from observatories.sites.nights import nights_between, noon_utc
from targets.orbits.blocks import EphemerisBlocks

IntArray = NDArray[np.int64]
BlockGroup = tuple[IntArray, EphemerisBlocks]
_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class LastChance:
    """Of one target at one telescope (indices), in a span of time.

    night: label of the last night with a window; window: index of its last one. None where there is none in the
    whole span. lost: what rules out the night after it, or the first night where no night has a
    window; None where the last night that is wholly in the span has a window: nothing is lost before the span ends.
    """

    target: int
    telescope: int
    night: np.datetime64 | None
    window: int | None
    lost: Absence | None


def last_chances(
    windows: WindowTable, groups: Sequence[BlockGroup], observing: Observing, closures: Closures | None = None
) -> list[LastChance]:
    """One for every target and telescope, in that order.

    windows: all of them, cut at the nights, closures taken out, of the same groups and telescopes. What is lost is
    explained by `explain`, for the nights that matter only.
    """
    targets = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *(index for index, _ in groups)]))
    last = _last_windows(windows, len(observing.telescopes))
    after: dict[np.datetime64, list[tuple[int, int]]] = defaultdict(list)
    for telescope, each in enumerate(observing.telescopes):
        whole = _whole_nights(each.place, observing)
        for target in targets.tolist():
            window = last.get((target, telescope))
            night = None if not whole.size else whole[0] if window is None else windows.night[window] + _DAY
            if night is not None and night in whole:
                after[night].append((target, telescope))
    lost: dict[tuple[int, int], Absence] = {}
    for night, missed in after.items():
        lost |= _absences(night, missed, groups, observing, closures)
    pairs = [(target, telescope) for target in targets.tolist() for telescope in range(len(observing.telescopes))]
    return [
        LastChance(*pair, None if pair not in last else windows.night[last[pair]], last.get(pair), lost.get(pair))
        for pair in pairs
    ]


def _last_windows(windows: WindowTable, telescopes: int) -> dict[tuple[int, int], int]:
    """By target and telescope, which window is the last."""
    order = np.lexsort((windows.start_tt_mjd, windows.telescope, windows.target))
    pair = (windows.target * telescopes + windows.telescope)[order]
    final = order[np.flatnonzero(np.append(pair[1:] != pair[:-1], True)[: pair.size])]
    keys = zip(windows.target[final].tolist(), windows.telescope[final].tolist(), strict=True)
    return dict(zip(keys, final.tolist(), strict=True))


def _whole_nights(place: Place, observing: Observing) -> NDArray[np.datetime64]:
    """Labels of the nights of a place that the span does not cut."""
    nights = nights_between(place, observing.start_tt_mjd, observing.end_tt_mjd).date
    start, end = tt_mjd_to_utc([observing.start_tt_mjd, observing.end_tt_mjd])
    return nights[(noon_utc(place, nights) >= start) & (noon_utc(place, nights + _DAY) <= end)]


def _absences(
    night: np.datetime64,
    pairs: Sequence[tuple[int, int]],
    groups: Sequence[BlockGroup],
    observing: Observing,
    closures: Closures | None,
) -> dict[tuple[int, int], Absence]:
    """Why targets have no window in one night at telescopes; only these are searched again."""
    telescopes = sorted({telescope for _, telescope in pairs})
    some = Observing(
        [observing.telescopes[telescope] for telescope in telescopes],
        observing.start_tt_mjd,
        observing.end_tt_mjd,
        observing.sun_moon,
        observing.earth,
    )
    explained = explain(groups, some, None if closures is None else closures_of(closures, telescopes), [night])
    told = {(each.target, telescopes[each.telescope]): each for each in explained.absences}
    return {pair: told[pair] for pair in pairs if pair in told}


def closures_of(closures: Closures, telescopes: Sequence[int]) -> Closures:
    """The closures of some telescopes, told by their place among these."""
    place = {telescope: k for k, telescope in enumerate(telescopes)}
    mine = [k for k, telescope in enumerate(closures.telescope.tolist()) if telescope in place]
    return Closures(
        telescope=np.array([place[int(closures.telescope[k])] for k in mine], dtype=np.int64),
        start_tt_mjd=closures.start_tt_mjd[mine],
        end_tt_mjd=closures.end_tt_mjd[mine],
        reasons=[closures.reasons[k] for k in mine],
    )
