"""How well orbits of the database are known: their covariances, and what U, arc and last observation say."""

import contextlib
import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from targets.models import Orbit
from targets.orbits.covariance import FORCES, CovarianceError, OrbitCovariance
from targets.orbits.elements import OrbitBatch
from targets.orbits.planets import MJD_ZERO_JD, Planets
from targets.orbits.runoff import U_VALUES, OrbitQuality, elements_of, estimated_covariances

from .lookup import resolve
from .orbits import current_orbits

_MJD_ZERO = dt.date(1858, 11, 17)


def quality_of(orbit: Orbit) -> OrbitQuality:
    """What the source of an orbit says of it; a letter for U that nobody defined says nothing."""
    last = orbit.last_observed_on
    return OrbitQuality(
        orbit.u_parameter if orbit.u_parameter in U_VALUES else "",
        orbit.arc_days,
        None if last is None else float((last - _MJD_ZERO).days),
        orbit.observation_count,
        orbit.opposition_count,
    )


def published_knowledge(
    target_ids: Sequence[int], batch: OrbitBatch
) -> tuple[list[OrbitQuality], list[OrbitCovariance | None]]:
    """Quality and published covariance of the current orbits of targets, which are those of the batch, in its order.

    None where no covariance is published, or one that our forces cannot use (labels of other models). Of an orbit with
    a table of Horizons nothing of this counts: its error is the table's.
    """
    rows = {orbit.current_of.pk: orbit for orbit in _with_quality(target_ids)}
    return knowledge_of_orbits([rows[target_id] for target_id in target_ids], batch)


def knowledge_of_orbits(
    orbits: Sequence[Orbit], batch: OrbitBatch
) -> tuple[list[OrbitQuality], list[OrbitCovariance | None]]:
    """The same of any orbits, which are those of the batch, in its order."""
    covariances: list[OrbitCovariance | None] = [None] * len(orbits)
    for k, orbit in enumerate(orbits):
        if orbit.covariance and batch.tables[k] is None:
            with contextlib.suppress(CovarianceError):
                covariances[k] = published_covariance(orbit, batch.take([k]))
    tabulated = batch.is_tabulated.tolist()
    return [OrbitQuality() if t else quality_of(o) for o, t in zip(orbits, tabulated, strict=True)], covariances


def _with_quality(target_ids: Sequence[int]) -> Iterable[Orbit]:
    return Orbit.objects.filter(current_of__in=target_ids).select_related("current_of")


def knowledge_of(
    designations: Sequence[str], batch: OrbitBatch | None = None
) -> tuple[list[OrbitQuality], list[OrbitCovariance | None]]:
    """`published_knowledge` of targets by designation, of which `batch` has the current orbits. Raises
    UnknownDesignationError, and DomainError for a target without an orbit.
    """
    batch = current_orbits(designations) if batch is None else batch
    return published_knowledge([resolve(designation).pk for designation in designations], batch)


def current_knowledge(
    designations: Sequence[str], planets: Planets, batch: OrbitBatch | None = None
) -> tuple[list[OrbitQuality], list[OrbitCovariance | None]]:
    """The same, with estimates in the place of covariances that are not published; None where nothing is known."""
    batch = current_orbits(designations) if batch is None else batch
    return knowledge_with_estimates([resolve(designation).pk for designation in designations], batch, planets)


def knowledge_with_estimates(
    target_ids: Sequence[int], batch: OrbitBatch, planets: Planets
) -> tuple[list[OrbitQuality], list[OrbitCovariance | None]]:
    """The same of targets by identifier, whose current orbits are those of the batch, in its order."""
    qualities, covariances = published_knowledge(target_ids, batch)
    unknown = [k for k, found in enumerate(covariances) if found is None and qualities[k].is_known]
    made_up = estimated_covariances(batch.take(np.array(unknown, dtype=int)), [qualities[k] for k in unknown], planets)
    for k, estimate in zip(unknown, made_up, strict=True):
        covariances[k] = estimate
    return qualities, covariances


def published_covariance(orbit: Orbit, batch: OrbitBatch) -> OrbitCovariance | None:
    """The covariance stored with an orbit, as SBDB publishes it; None where there is none.

    `batch` is the orbit itself: its elements count where the covariance has none of its own. Raises `CovarianceError`.
    """
    if not orbit.covariance:
        return None
    values = elements_of(batch)[0]
    values[2] += MJD_ZERO_JD
    labels = ("e", "q", "tp", "node", "peri", "i")
    reply: dict[str, Any] = {
        "epoch": orbit.epoch_tdb_jd,
        "covariance": orbit.covariance,
        "elements": [{"label": label, "value": value} for label, value in zip(labels, values.tolist(), strict=True)],
        "model_pars": [{"name": n, "value": v} for n, v in zip(FORCES, batch.nongrav[0].tolist(), strict=True)],
    }
    return OrbitCovariance.from_sbdb(reply, batch.names[0])
