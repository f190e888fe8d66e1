"""Which of two solutions of one target is the current one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, When

from targets.models import Orbit
from targets.sources.records import OrbitRecord


@dataclass(frozen=True)
class Rank:
    """What decides between two solutions of one target."""

    source: str
    solved_at: dt.datetime | None
    last_observed_on: dt.date | None
    has_covariance: bool
    observation_count: int | None
    epoch_tdb_jd: float

    @classmethod
    def of(cls, orbit: Orbit | OrbitRecord) -> Rank:
        return cls(
            str(orbit.source),
            orbit.solved_at,
            orbit.last_observed_on,
            bool(orbit.covariance),
            orbit.observation_count,
            orbit.epoch_tdb_jd,
        )

    @staticmethod
    def columns() -> tuple[Any, ...]:
        """What to select of Orbit for `of_columns`, without reading a covariance for each."""
        has_covariance = Case(When(covariance__isnull=False, then=True), default=False)
        return "source", "solved_at", "last_observed_on", has_covariance, "observation_count", "epoch_tdb_jd"

    @classmethod
    def of_columns(cls, *values: Any) -> Rank:
        return cls(*values)

    def yields_to(self, newer: Rank) -> bool:
        """Whether a solution that arrives later takes its place.

        Of one source, the one that it solved later. Else the one with the later last observation; the one that knows
        its covariance; more observations; the later epoch. What is not known of both does not count.
        """
        if self.source == newer.source and self.solved_at and newer.solved_at and self.solved_at != newer.solved_at:
            return newer.solved_at > self.solved_at
        for old, new in (
            (self.last_observed_on, newer.last_observed_on),
            (self.has_covariance, newer.has_covariance),
            (self.observation_count, newer.observation_count),
        ):
            if old is not None and new is not None and old != new:
                return bool(new > old)  # type: ignore[operator]
        return newer.epoch_tdb_jd >= self.epoch_tdb_jd
