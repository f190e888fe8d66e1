"""Close approaches as JPL lists them, and those that are no longer listed."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from coordination.common import clock, events
from coordination.common.timescales import tdb_to_tt_mjd, to_datetime, tt_mjd_to_utc
from targets.models import CloseApproach, Target
from targets.orbits.planets import MJD_ZERO_JD
from targets.sources.cad.parse import CloseApproach as Listed

SAME_WITHIN = dt.timedelta(days=2)  # the same passage, computed anew


class OlderSolutionError(ValueError):
    """A passage from an older solution than the stored one: the list was put back."""


@transaction.atomic
def take_approaches(target_id: int, listed: Sequence[Listed], until: dt.datetime, *, is_complete: bool) -> bool:
    """Bring the passages of a target from now to `until` to what is listed; whether anything changed.

    Those that are not listed are dropped only where the list is complete. Raises OlderSolutionError, and nothing has
    changed.
    """
    target = Target.objects.select_for_update(no_key=True).get(pk=target_id)
    now = clock.now()
    stored = list(CloseApproach.objects.filter(target=target, at__gte=now - SAME_WITHIN))
    changed = 0
    for each in listed:
        at = _utc(each.at_tdb_jd)
        same = min((s for s in stored if abs(s.at - at) <= SAME_WITHIN), key=lambda s: abs(s.at - at), default=None)
        if same is not None:
            stored.remove(same)
        changed += _take(target, same, each, at)
    if is_complete:
        gone = [each.pk for each in stored if now < each.at <= until]
        changed += CloseApproach.objects.filter(pk__in=gone).delete()[0]
    if changed:
        nearest = CloseApproach.objects.filter(target=target, at__gte=now).first()
        at_text = None if nearest is None else nearest.at.isoformat()
        distance_au = None if nearest is None else nearest.distance_au
        events.record(
            "target.approach_changed", target, {"target": target.pk, "next_at": at_text, "distance_au": distance_au}
        )
    return bool(changed)


def _take(target: Target, stored: CloseApproach | None, listed: Listed, at: dt.datetime) -> bool:
    said: dict[str, Any] = {
        "at": at,
        "tdb_jd": listed.at_tdb_jd,
        "distance_au": listed.distance_au,
        "distance_min_au": listed.distance_min_au,
        "distance_max_au": listed.distance_max_au,
        "v_rel_km_s": listed.v_rel_km_s,
        "v_inf_km_s": listed.v_inf_km_s,
        "time_sigma_minutes": listed.time_sigma_min,
        "h_mag": listed.h_mag,
        "solution": listed.solution_id,
    }
    if stored is None:
        CloseApproach.objects.create(target=target, **said)
        return True
    if all(getattr(stored, name) == value for name, value in said.items()):
        return False
    if stored.solution.isdigit() and listed.solution_id.isdigit() and int(listed.solution_id) < int(stored.solution):
        raise OlderSolutionError(f"comes from solution {listed.solution_id}, the stored one from {stored.solution}")
    CloseApproach.objects.filter(pk=stored.pk).update(**said, updated_at=clock.now())
    return True


def _utc(tdb_jd: float) -> dt.datetime:
    (at,) = tt_mjd_to_utc(tdb_to_tt_mjd([tdb_jd - MJD_ZERO_JD]))
    return to_datetime(at).replace(microsecond=0)
