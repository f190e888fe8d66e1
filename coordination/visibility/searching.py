"""Windows of orbits at telescopes over a span, found when they are asked for, and what they were found in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.cells import Observing
from coordination.visibility.engine.closures import Closures, without_closures
from coordination.visibility.engine.impact import until_impact
from coordination.visibility.engine.quantities import Quantities, describe
from coordination.visibility.engine.table import WindowTable
from coordination.visibility.engine.windows import BlockGroup, find_windows
from coordination.visibility.trusting import Knowledge, Trusting
from coordination.visibility.window_rows import groups_and_impacts
from observatories.sites.grouping import site_numbers
from targets.orbits.elements import OrbitBatch
from targets.orbits.planets import Planets
from targets.orbits.trust import Trust


@dataclass(frozen=True)
class Search:
    """Targets over telescopes in a span of UTC that nothing but closures and its own ends cuts; without the windows on
    days on which an orbit is unusable.
    """

    observing: Observing
    groups: Sequence[BlockGroup]
    closures: Closures
    impact_tt_mjd: NDArray[np.float64]  # by target; NaN: none
    trusting: Trusting

    @classmethod
    def over(
        cls,
        targets: OrbitBatch,
        observing: Observing,
        planets: Planets,
        closures: Closures | None = None,
        knowledge: Knowledge | None = None,
    ) -> Search:
        """Raises ValueError for orbits that the planetary kernel does not cover, naming what is covered, and where the
        orbits are unusable all through the span, with the reason.
        """
        start, end = observing.start_tt_mjd, observing.end_tt_mjd
        days = np.append(np.arange(start, end, 1.0), end)
        trusting = Trusting.over(targets, knowledge or Knowledge.none(len(targets)), days, planets)
        trusting.tell(lambda text: None)
        groups, impacts = groups_and_impacts(targets, start, end, planets)
        return cls(observing, groups, closures or Closures.none(), impacts, trusting)

    @cached_property
    def windows(self) -> WindowTable:
        """Not cut at the nights."""
        return self.found(cut_at_nights=False)

    @cached_property
    def quantities(self) -> Quantities:
        """Of `windows`."""
        return describe(self.windows, self.groups, self.observing)

    @cached_property
    def sites(self) -> list[int]:
        """The site of each telescope: the index of the first telescope there."""
        numbers: list[int] = site_numbers([telescope.place for telescope in self.observing.telescopes]).tolist()
        return numbers

    def sigma_arcsec(self, target: NDArray[np.int64], tt_mjd: NDArray[np.float64]) -> NDArray[np.float64]:
        """1-sigma semi-major axes of targets (k,) at times (k,), as known for the nearest day; NaN: not known."""
        return self.trusting.sigma_arcsec(target, tt_mjd)

    def found(self, cut_at_nights: bool) -> WindowTable:
        """The windows, closures taken out."""
        table = find_windows(self.groups, self.observing, cut_at_nights=cut_at_nights)
        table = until_impact(table, self.impact_tt_mjd, self.observing.least_days)
        levels = self.trusting.worst_levels(table.target, table.start_tt_mjd, table.end_tt_mjd)
        table = table.take(levels != Trust.UNUSABLE)
        return without_closures(table, self.closures, self.observing.least_days)
