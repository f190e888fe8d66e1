"""Where a target is on the sky of the geocentre: by what two orbits of it are compared."""

import datetime as dt
from collections.abc import Sequence

import numpy as np

from coordination.common.problems import DomainError
from coordination.common.timescales import tt_to_tdb_mjd, utc_to_tt_mjd
from targets.models import Target
from targets.orbits.propagation import propagate
from targets.services import orbit_batch
from targets.services.ephemerides import planets

from .engine.places import places


def geocentric_places(target: Target, instants: Sequence[dt.datetime]) -> list[tuple[float, float]]:
    """Astrometric right ascension and declination (ICRF, degrees) from the current orbit, for each instant.

    Raises DomainError for a target without an orbit, and for dates outside the planetary kernel.
    """
    rows, batch = orbit_batch([target.pk], (min(instants), max(instants)))
    if not rows.orbit_id.size:
        raise DomainError(f"{target} has no orbit yet.", field="target", value=str(target))
    tt = np.array([float(utc_to_tt_mjd(instant)) for instant in instants])
    tdb = tt_to_tdb_mjd(tt)
    try:
        seen = places(propagate(batch, float(tdb.min()), float(tdb.max()), planets()), tt, None)
    except ValueError as error:
        raise DomainError(str(error), field="target", value=str(target)) from error
    return list(zip(seen.ra_deg[0].tolist(), seen.dec_deg[0].tolist(), strict=True))
