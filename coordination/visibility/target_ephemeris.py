"""Places of stored targets as a telescope sees them, with how uncertain they are: the columns of the command
`ephemeris`, for plans and for telescope control systems.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np

from coordination.common.problems import DomainError
from coordination.common.timescales import utc_to_tt_mjd
from coordination.visibility.ephemeris_rows import ephemeris_columns
from coordination.visibility.inputs import InputError, Site
from coordination.visibility.rows import Column
from coordination.visibility.trusting import Knowledge, Trusting, labels, rows_where
from coordination.visibility.uncertainty_rows import uncertainty_columns
from coordination.visibility.window_rows import impacts_over
from observatories.models import Telescope
from targets.orbits.trust import Trust
from targets.services import orbit_batch
from targets.services.ephemerides import planets
from targets.services.orbit_quality import knowledge_with_estimates


def target_ephemeris(target_ids: Sequence[int], telescope: Telescope, instants: Sequence[dt.datetime]) -> list[Column]:
    """One row for each target that has an orbit and each instant, in that order; without those at which the orbit is
    unusable, or the target has hit the Earth. The first columns are `target_id`, `name`, `site`, `utc`.

    Raises DomainError where no row is left, with the reason.
    """
    place = telescope.observatory.place
    if place is None:
        raise DomainError(f"{telescope} has no fixed place: nothing can be computed.", field="telescope")
    rows, batch = orbit_batch(target_ids, (min(instants), max(instants)))
    if not len(batch):
        raise DomainError("The target has no orbit yet.", field="target")
    utc = np.array([instant.astimezone(dt.UTC).replace(tzinfo=None) for instant in instants], dtype="datetime64[us]")
    tt, site = utc_to_tt_mjd(utc), Site(telescope.observatory.mpc_code or telescope.observatory.name, place)
    ids = rows.target_id.tolist()
    try:
        columns = ephemeris_columns(batch, [site], utc, planets())
        knowledge = Knowledge(*knowledge_with_estimates(ids, batch, planets()))
        trusting = Trusting.over(batch, knowledge, tt, planets())
        trusting.tell(lambda text: None)
        columns += uncertainty_columns(knowledge.covariances, [site], utc, planets())
        impacts = impacts_over(batch, float(tt.min()), float(tt.max()), planets())
    except (InputError, ValueError) as error:
        raise DomainError(str(error), field="target") from error
    number = np.repeat(np.arange(len(ids)), utc.size)
    levels = trusting.levels(number, np.tile(tt, len(ids)))
    columns = [Column.text("target_id", np.array(ids)[number]), *columns, Column.text("orbit_trust", labels(levels))]
    before = ~(np.tile(tt, len(ids)) > impacts[number])  # NaN: no impact
    return rows_where(columns, (levels != Trust.UNUSABLE) & before)
