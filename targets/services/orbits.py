"""Orbits from the database as the numerics take them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordination.common.problems import DomainError
from targets.models import Orbit
from targets.orbits.elements import OrbitBatch, cometary_to_state, keplerian_to_state
from targets.orbits.planets import MJD_ZERO_JD

from .horizons import state_table, tables_over
from .lookup import resolve

Within = tuple[dt.datetime, dt.datetime]

_NUMBERS = (
    "epoch_tdb_jd",
    "a_au",
    "e",
    "i_deg",
    "node_deg",
    "peri_deg",
    "mean_anomaly_deg",
    "h_mag",
    "g_slope",
    "a1_au_d2",
    "a2_au_d2",
    "a3_au_d2",
    "q_au",
    "tp_tdb_jd",
    "h_sigma_mag",
    "g1",
    "g2",
    "g12",
    "m1_mag",
    "k1",
)


@dataclass(frozen=True)
class OrbitRows:
    """Which rows a batch of orbits comes from: identifiers (n,) in the order of the batch."""

    target_id: NDArray[np.int64]
    orbit_id: NDArray[np.int64]


def orbit_batch(target_ids: Sequence[int], within: Within | None = None) -> tuple[OrbitRows, OrbitBatch]:
    """The current orbits of targets, ordered by target; one query, two with a span. Targets without an orbit are left
    out.

    within: a span. Targets whose positions over it are taken from Horizons have the table of these; without a span none
    has.
    """
    rows = list(
        Orbit.objects.filter(current_of__in=target_ids)
        .order_by("target_id")
        .values_list("target_id", "pk", "target__designation", *_NUMBERS)
    )
    identifiers = np.array([row[:2] for row in rows], dtype=np.int64).reshape(-1, 2)
    batch = _batch(
        [row[2] for row in rows], np.array([row[3:] for row in rows], dtype=float).reshape(-1, len(_NUMBERS))
    )
    return OrbitRows(identifiers[:, 0], identifiers[:, 1]), _with_tables(identifiers[:, 0].tolist(), batch, within)


def current_orbits(designations: Sequence[str], within: Within | None = None) -> OrbitBatch:
    """The same of targets named and ordered as given. Raises UnknownDesignationError, and DomainError for a target that
    has no orbit.
    """
    targets = [resolve(designation) for designation in designations]
    rows = {row[0]: row[1:] for row in Orbit.objects.filter(current_of__in=targets).values_list("target_id", *_NUMBERS)}
    for designation, target in zip(designations, targets, strict=True):
        if target.pk not in rows:
            raise DomainError(f"{target} has no orbit yet.", field="designation", value=designation)
    batch = _batch(list(designations), np.array([rows[target.pk] for target in targets], dtype=float))
    return _with_tables([target.pk for target in targets], batch, within)


def _with_tables(target_ids: Sequence[int], batch: OrbitBatch, within: Within | None) -> OrbitBatch:
    if within is None:
        return batch
    tables = tables_over(target_ids, *within)
    for k, target_id in enumerate(target_ids):
        if target_id in tables:
            batch = batch.with_table(k, state_table(tables[target_id]))
    return batch


def batch_of(orbits: Sequence[Orbit], name: str) -> OrbitBatch:
    """Orbits of one target, all under its name, in the order given."""
    numbers = [[getattr(orbit, column) for column in _NUMBERS] for orbit in orbits]
    return _batch([name] * len(orbits), np.array(numbers, dtype=float).reshape(-1, len(_NUMBERS)))


def _batch(names: Sequence[str], numbers: NDArray[np.float64]) -> OrbitBatch:
    epoch_jd, a, e, i, node, peri, m, h, g, a1, a2, a3, q, tp_jd, *brightness = numbers.T
    epoch = epoch_jd - MJD_ZERO_JD
    state = np.empty((len(names), 6))
    closed, parabolic = np.flatnonzero(~np.isnan(a)), np.flatnonzero(np.isnan(a))
    closed_names, parabolic_names = ([names[k] for k in part.tolist()] for part in (closed, parabolic))
    a, m = a[closed], m[closed]
    state[closed] = keplerian_to_state(a, e[closed], i[closed], node[closed], peri[closed], m, closed_names)
    q, tp, since = q[parabolic], (tp_jd - MJD_ZERO_JD)[parabolic], epoch[parabolic]
    e, i, node, peri = (part[parabolic] for part in (e, i, node, peri))
    state[parabolic] = cometary_to_state(q, e, i, node, peri, tp, since, parabolic_names)
    batch = OrbitBatch.from_state(names, epoch, state, h, g, nongrav=np.stack([a1, a2, a3], axis=1))
    return batch.with_photometry(*brightness)
