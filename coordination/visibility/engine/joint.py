"""Joint windows: when telescopes of at least k sites can observe the same target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Times are counted in ticks, so that one integer holds target, telescope and time and one plain sort orders
# all three. A double holds an MJD from 1948 to 2217 as a whole number of ticks (0.6 us): nothing is rounded.
_TICKS_PER_DAY = 2.0**37
_TOUCHING_TICKS = round(2e-3 / 86400.0 * _TICKS_PER_DAY)
_KEY_BITS = 63


class Windows(Protocol):
    """n windows, half-open [start, end), in any order, as `WindowTable` has them. target, telescope (n,): indices."""

    @property
    def target(self) -> IntArray: ...
    @property
    def telescope(self) -> IntArray: ...
    @property
    def start_tt_mjd(self) -> FloatArray: ...
    @property
    def end_tt_mjd(self) -> FloatArray: ...


@dataclass(frozen=True)
class JointTable:
    """n joint windows, half-open [start, end), sorted by target and start; those of one target do not meet."""

    target: IntArray
    start_tt_mjd: FloatArray
    end_tt_mjd: FloatArray

    @property
    def n(self) -> int:
        """Number of joint windows."""
        return self.target.size

    def take(self, index: ArrayLike | slice) -> JointTable:
        """The joint windows at `index`, in that order."""
        return JointTable(*(getattr(self, column.name)[index] for column in fields(self)))

    @classmethod
    def concatenate(cls, parts: Sequence[JointTable]) -> JointTable:
        """All joint windows of several tables, in order of the parts."""
        if not parts:
            return cls(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))
        return cls(*(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(cls)))


def joint_windows(windows: Windows, site: ArrayLike, min_sites: Sequence[int]) -> list[JointTable]:
    """For each number k in `min_sites` all maximal intervals in which telescopes of at least k sites can observe.

    site: number of the site of each telescope, as `site_numbers` gives it. Windows of several telescopes of a
    site count once; windows of one telescope that touch (within 2 ms, as those cut at a noon do) are one. At an
    instant where one site ends and another begins the number of sites does not fall.
    """
    if any(k < 1 for k in min_sites):
        raise ValueError(f"min_sites {list(min_sites)}: expected whole numbers from 1")
    sites, site_of = np.unique(np.asarray(site, dtype=np.int64), return_inverse=True)
    parts: list[list[JointTable]] = [[] for _ in min_sites]
    for view in in_view(windows, site_of.size):
        opens, closes = view.by_target(site_of, sites.size)
        for k, tables in zip(min_sites, parts, strict=True):
            tables.append(view.table(*_at_least(k, opens, closes)))
    return [JointTable.concatenate(tables) for tables in parts]


@dataclass(frozen=True)
class InView:
    """When telescopes have targets in view: m intervals that neither overlap nor touch.

    opens, closes (m,): sorted keys; (target number, telescope, tick) as one number. Interval i is from opens[i] to
    closes[i]. targets: the target of each target number, rising. origin_tt_mjd: time of tick 0. bits: of a key that
    hold the tick.
    """

    targets: IntArray
    telescopes: int
    origin_tt_mjd: float
    bits: int
    opens: IntArray
    closes: IntArray

    @property
    def target_number(self) -> IntArray:
        """Of the intervals (m,)."""
        return (self.opens >> self.bits) // self.telescopes

    @property
    def telescope(self) -> IntArray:
        """Of the intervals (m,)."""
        return (self.opens >> self.bits) % self.telescopes

    def tick(self, keys: IntArray) -> IntArray:
        """The ticks of keys of any kind."""
        return keys & ((1 << self.bits) - 1)

    def ticks_at(self, tt_mjd: FloatArray) -> IntArray:
        """The ticks of times."""
        return np.rint((tt_mjd - self.origin_tt_mjd) * _TICKS_PER_DAY).astype(np.int64)

    def tt_mjd(self, keys: IntArray) -> FloatArray:
        """The times of keys of any kind."""
        return np.asarray(self.origin_tt_mjd + self.tick(keys) / _TICKS_PER_DAY)

    def by_target(self, site_of: IntArray, sites: int) -> tuple[IntArray, IntArray]:
        """Keys (target number, tick) of when a site, by any of its telescopes, begins and ends to have the target in
        view; sorted each for itself.
        """
        number = np.arange(self.targets.size)[:, None]
        place = (number * sites + site_of).ravel()

        def of_sites(keys: IntArray) -> IntArray:
            return np.sort((place[keys >> self.bits] << self.bits) | self.tick(keys))

        target = np.broadcast_to(number, (self.targets.size, sites)).ravel()

        def of_targets(keys: IntArray) -> IntArray:
            return np.sort((target[keys >> self.bits] << self.bits) | self.tick(keys))

        opens, closes = _united(of_sites(self.opens), of_sites(self.closes))
        return of_targets(opens), of_targets(closes)

    def table(self, opens: IntArray, closes: IntArray) -> JointTable:
        """Intervals given by keys (target number, tick)."""
        return JointTable(self.targets[opens >> self.bits], self.tt_mjd(opens), self.tt_mjd(closes))


def in_view(windows: Windows, telescopes: int) -> Iterator[InView]:
    """Windows with those of one target and telescope united that overlap or touch; as many targets at a time, in their
    order, as keys of 63 bits can hold.
    """
    if not windows.target.size:
        return
    origin = float(windows.start_tt_mjd.min())
    last = (float(windows.end_tt_mjd.max()) - origin) * _TICKS_PER_DAY
    bits = int(last + 2 * _TOUCHING_TICKS).bit_length()  # so far that nothing touches the next target's tick 0
    at_once = max(1, (1 << (_KEY_BITS - bits)) // telescopes)
    lowest = windows.target.min()
    number = np.zeros(int(windows.target.max() - lowest) + 1, dtype=np.int64)
    number[windows.target - lowest] = 1
    targets = np.flatnonzero(number) + lowest
    number = np.cumsum(number) - 1
    for begin in range(0, targets.size, at_once):
        some = targets[begin : begin + at_once]
        inside: Any = slice(None)
        if some.size < targets.size:
            inside = (windows.target >= some[0]) & (windows.target <= some[-1])
        group = (number[windows.target[inside] - lowest] - begin) * telescopes + windows.telescope[inside]
        view = InView(some, telescopes, origin, bits, group, group)
        keys = [
            np.sort((group << bits) | view.ticks_at(times[inside]))
            for times in (windows.start_tt_mjd, windows.end_tt_mjd)
        ]
        opens, closes = _united(keys[0], keys[1], _TOUCHING_TICKS)
        yield replace(view, opens=opens, closes=closes)


def _united(opens: IntArray, closes: IntArray, touching: int = 0) -> tuple[IntArray, IntArray]:
    """The union of intervals whose starts and ends are sorted each for itself; those that touch become one.

    A new interval begins at the i-th start if the i-1 ends before it have all passed.
    """
    if not opens.size:
        return opens, closes
    begins = np.concatenate([[True], opens[1:] > closes[:-1] + touching])
    return opens[begins], closes[np.append(begins[1:], True)]


def _at_least(count: int, opens: IntArray, closes: IntArray) -> tuple[IntArray, IntArray]:
    """When at least `count` of the intervals with sorted starts and ends hold at once.

    When the i-th start has come, fewer than `count` of them hold once the (i - count + 1)-th end has come too.
    """
    opens, closes = opens[count - 1 :], closes[: max(closes.size - count + 1, 0)]
    lasting = opens < closes  # never across targets: the key of an end of an earlier target is smaller
    return _united(opens[lasting], closes[lasting])
