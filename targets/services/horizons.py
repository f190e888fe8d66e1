"""Where positions come from: our orbits, or the tables of JPL Horizons that take their place."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import CharField, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from coordination.common import events
from coordination.common.problems import DomainError
from coordination.common.timescales import tt_to_tdb_mjd, utc_to_tt_mjd
from targets.models import HorizonsTable, Target
from targets.orbits.tabulated import StateTable

_DAY = dt.timedelta(days=1)


def solution_q(target: str, starts_at: object, ends_at: object) -> Coalesce:
    """The solution of the table from which positions over a span are taken, empty where they are those of our orbit.
    An expression over rows whose field `target` is the target's identifier; the ends may be fields of theirs, too, as
    OuterRef.
    """
    tables = HorizonsTable.objects.in_use().filter(target=OuterRef(target)).covering(starts_at, ends_at)
    return Coalesce(Subquery(tables.values("solution")[:1]), Value(""), output_field=CharField())


def tables_over(target_ids: Any, starts_at: dt.datetime, ends_at: dt.datetime) -> dict[int, HorizonsTable]:
    """The tables from which positions over a span are taken, by target; one query."""
    found = HorizonsTable.objects.in_use().filter(target_id__in=target_ids).covering(starts_at, ends_at)
    return {table.target_id: table for table in found}


def solution_over(target_id: int, starts_at: dt.datetime, ends_at: dt.datetime) -> str:
    """The solution of Horizons from which positions of a target over a span are taken; empty: those of our orbit."""
    found = tables_over([target_id], starts_at, ends_at)
    return found[target_id].solution if found else ""


def state_table(table: HorizonsTable) -> StateTable:
    """As the numerics take it."""
    days = midnights(table.starts_at, len(table.sigma_arcsec))
    sigma_arcsec = np.array(table.sigma_arcsec, dtype=float)
    return StateTable.from_bytes(bytes(table.rows), tdb_mjd_of(days), sigma_arcsec, table.solution)


def midnights(first: dt.datetime, count: int) -> list[dt.datetime]:
    """00:00 UTC of so many days from the date of an instant on."""
    day = first.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return [day + k * _DAY for k in range(count)]


def tdb_mjd_of(instants: Sequence[dt.datetime]) -> np.ndarray:
    """MJD of TDB."""
    return np.asarray(tt_to_tdb_mjd(np.array([float(utc_to_tt_mjd(each)) for each in instants])), dtype=float)


@transaction.atomic
def choose_ephemeris_source(target_id: int, source: str, *, actor: Any = None) -> Target:
    """Decide where positions of a target come from. Its windows are computed anew, and slots of it re-checked, as
    after a new orbit. Where Horizons has not been asked for it yet, that is done by the next run of the job. Raises
    DomainError for what is no source.
    """
    if source not in Target.EphemerisSource.values:
        expected = ", ".join(Target.EphemerisSource.values)
        raise DomainError(f"{source!r} is no source of positions.", field="source", value=source, expected=expected)
    target = Target.objects.select_for_update(no_key=True).get(pk=target_id)
    if target.ephemeris_source == source:
        return target
    before = in_use(target_id)
    target.ephemeris_source = source
    target.save(update_fields=["ephemeris_source"])
    events.record("target.updated", target, {"fields": ["ephemeris_source"]}, actor=actor)
    tell_if_changed(target, before, actor=actor)
    return target


def in_use(target_id: int) -> str:
    """The solution of Horizons that takes the place of our orbit, wherever its table reaches; empty: none."""
    found = HorizonsTable.objects.in_use().filter(target_id=target_id).values_list("solution", flat=True).first()
    return found or ""


def tell_if_changed(target: Target, before: str, *, actor: Any = None) -> None:
    """Tell those who follow orbits that positions come from elsewhere now, if they do."""
    now = in_use(target.pk)
    if now != before:
        told = {"target": target.pk, "before": before, "solution": now}
        events.record("orbit.ephemeris_changed", target, told, actor=actor)
