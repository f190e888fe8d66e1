"""Versions of a target's orbit, and what changed from each to the next."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from coordination.common import clock
from targets.models import Ephemeris, Orbit, Target
from targets.orbits.differences import Difference, differences
from targets.orbits.outlook import outlook
from targets.orbits.planets import MJD_ZERO_JD

from .ephemerides import planets
from .horizons import midnights, tdb_mjd_of
from .orbit_quality import knowledge_of_orbits
from .orbits import batch_of

MOST = 10  # versions that are compared, each with the one before it
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Version:
    """An orbit and what it changed of the one that was taken over before it.

    sigma_major_arcsec: 1-sigma on the dates, NaN where nothing is known of the accuracy. None for an orbit whose epoch
    the planetary kernel does not know; it has no difference either.
    """

    orbit: Orbit
    is_current: bool
    before: "Version | None" = None
    difference: Difference | None = None
    sigma_major_arcsec: NDArray[np.float64] | None = None
    is_estimate: bool = False

    def gained(self, name: str) -> float | None:
        """By how much a number of the orbit (arc, observations, H) is larger than before."""
        mine = getattr(self.orbit, name)
        theirs = getattr(self.before.orbit, name) if self.before is not None else None
        return None if mine is None or theirs is None else mine - theirs


@dataclass(frozen=True)
class Versions:
    """Newest first; `dates`, UTC, are now and 00:00 of each day to the end of what is stored."""

    dates: list[dt.datetime]
    rows: list[Version]

    @property
    def current(self) -> Version | None:
        return next((row for row in self.rows if row.is_current), None)


def versions_of(target: Target) -> Versions:
    """The newest `MOST` orbits of a target and the one before them, compared: two queries, and up to a second or two of
    integration where they have covariances.
    """
    dates = _dates(target)
    orbits = list(target.orbits.order_by("-created_at", "-pk")[: MOST + 1])
    first, last = planets().span_tdb_mjd
    usable = [orbit for orbit in orbits if first <= orbit.epoch_tdb_jd - MJD_ZERO_JD <= last]
    compared = _compared(target, usable, dates) if usable else {}
    rows: list[Version] = []
    for orbit in reversed(orbits):
        found = compared.get(orbit.pk) or Version(orbit, target.current_orbit_id == orbit.pk)
        before = rows[-1] if rows else None
        told = found.difference if before is not None and before.orbit.pk in compared else None
        rows.append(replace(found, before=before, difference=told))
    return Versions(dates, rows[::-1][:MOST])


def _dates(target: Target) -> list[dt.datetime]:
    now = clock.now()
    stored = Ephemeris.objects.filter(target=target).values_list("ends_at", flat=True).first()
    end = stored if stored and stored > now else now + settings.PLANNING_HORIZON_NIGHTS * _DAY
    (tomorrow,) = midnights(now + _DAY, 1)
    return [now, *midnights(tomorrow, (end - tomorrow) // _DAY + 1)]


def _compared(target: Target, orbits: Sequence[Orbit], dates: Sequence[dt.datetime]) -> dict[int, Version]:
    """By identifier of the orbit; each with what it changed of the next in the order given."""
    batch = batch_of(orbits, target.designation)
    qualities, covariances = knowledge_of_orbits(orbits, batch)
    tdb = tdb_mjd_of(dates)
    found, path = differences(batch, covariances, tdb, planets())
    known = outlook(path.batch_at(float(tdb[0])), batch.epoch_tdb_mjd, qualities, covariances, tdb, planets())
    return {
        orbit.pk: Version(
            orbit,
            target.current_orbit_id == orbit.pk,
            difference=found[k] if k < len(found) else None,
            sigma_major_arcsec=known.major_arcsec[k],
            is_estimate=bool(known.is_estimate[k]),
        )
        for k, orbit in enumerate(orbits)
    }
