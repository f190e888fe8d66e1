"""The rotation of the Earth, kept current while the service runs: a table in the database that every process adopts
before it computes.
"""

import datetime as dt
import functools
import logging
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from django.db import transaction

from coordination.common import events
from coordination.common.timescales import tt_mjd_to_utc

from ..models import EarthOrientationTable
from ..sites import earth_orientation
from ..sites.earth_orientation import EarthOrientation, EarthOrientationError

logger = logging.getLogger(__name__)

KEPT = 3
ALIKE_S = 0.01  # of rotation; edges of windows are good to 0.1 s, and one night may be found with three tables


def store_earth_orientation(content: bytes) -> bool:
    """Take over a `finals2000A.all`; whether it is newer than what is there. Raises EarthOrientationError for anything
    else, and for a table that knows less than the stored or installed one.
    """
    table = _read(content)
    measured_until, predicted_until = _date(table.measured_until_tt_mjd), _date(float(table.tt_mjd[-1]))
    with transaction.atomic():
        newest = EarthOrientationTable.objects.select_for_update().first()
        if newest is not None and newest.version == table.version:
            return False
        known_until = _date(earth_orientation.installed_table().measured_until_tt_mjd)
        known_until = max(known_until, newest.measured_until) if newest is not None else known_until
        if measured_until < known_until:
            raise EarthOrientationError(f"it was measured until {measured_until}, what is there until {known_until}")
        if newest is None and measured_until == known_until:
            return False
        stored = EarthOrientationTable.objects.create(
            version=table.version,
            measured_until=measured_until,
            predicted_until=predicted_until,
            content=zlib.compress(content),
        )
        kept = EarthOrientationTable.objects.values_list("pk", flat=True)[:KEPT]
        EarthOrientationTable.objects.exclude(pk__in=list(kept)).delete()
        events.record("earth_orientation.updated", stored, {"version": stored.version})
    return True


def adopt_earth_orientation() -> str:
    """Have this process use the newest table from now on; its version. Between computations only. A table that cannot
    be read leaves the one in use.
    """
    newest: Any = EarthOrientationTable.objects.values_list("version", "measured_until").first()
    in_use = earth_orientation.version_in_use()
    if newest is None or newest[0] == in_use:
        return in_use
    if newest[1] < _date(earth_orientation.installed_table().measured_until_tt_mjd):  # the package was updated since
        earth_orientation.use(None)
        return earth_orientation.version_in_use()
    if (table := _stored(newest[0])) is not None:
        earth_orientation.use(table)
    return earth_orientation.version_in_use()


def versions_alike(first_tt_mjd: float, last_tt_mjd: float) -> list[str]:
    """Versions of the tables that turn the Earth between two instants as the one in use does, that one first.

    A new table comes every week, and moves the next weeks by milliseconds: what was found with the one before still
    holds.
    """
    in_use = EarthOrientation.from_astropy()
    stored = EarthOrientationTable.objects.exclude(version=in_use.version).values_list("version", flat=True)
    others = [earth_orientation.installed_table(), *(table for table in map(_stored, stored) if table is not None)]
    alike = [
        table.version
        for table in others
        if table.version != in_use.version
        and earth_orientation.apart_s(in_use, table, first_tt_mjd, last_tt_mjd) <= ALIKE_S
    ]
    return [in_use.version, *alike]


@functools.lru_cache(maxsize=KEPT + 1)
def _stored(version: str) -> EarthOrientation | None:
    """A stored table, read once in a process (a second each); None where it cannot be read."""
    row = EarthOrientationTable.objects.filter(version=version).first()
    if row is None:
        return None
    try:
        return _read(zlib.decompress(row.content))
    except (EarthOrientationError, zlib.error) as error:
        logger.error("table %s of the Earth's rotation cannot be read: %s", version, error)
        return None


def _read(content: bytes) -> EarthOrientation:
    with tempfile.NamedTemporaryFile(suffix=".all") as file:
        file.write(content)
        file.flush()
        return earth_orientation.read_finals(Path(file.name))


def _date(tt_mjd: float) -> dt.date:
    day: dt.date = tt_mjd_to_utc(np.array([tt_mjd])).astype("datetime64[D]")[0].astype(object)
    return day
