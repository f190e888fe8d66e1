"""What of targets is removed when it is old: superseded orbits, past passages, candidates of no avail."""

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, ProtectedError, Subquery

from coordination.common import retention
from targets.models import Candidate, CloseApproach, Ephemeris, Orbit, Target

KEPT_VERSIONS = 5  # of each target, however old
PASSED_DAYS = 90


def register() -> None:
    retention.register("orbit versions", remove_orbits)
    retention.register("close approaches", remove_approaches)
    retention.register("candidates", remove_candidates)


def remove_orbits(now: dt.datetime) -> int:
    """Versions that another took the place of long ago, but the newest few of each target. Slots that are over forget
    with which one they were placed.
    """
    limit = now - dt.timedelta(days=settings.ORBIT_RETENTION_DAYS)
    by_age = Orbit.objects.filter(target=OuterRef("target")).order_by("-pk").values("pk")
    oldest_kept = Subquery(by_age[KEPT_VERSIONS - 1 : KEPT_VERSIONS])
    old = Orbit.objects.filter(created_at__lt=limit, current_of=None, pk__lt=oldest_kept)
    return old.exclude(pk__in=Ephemeris.objects.values("orbit_id")).delete()[0]


def remove_approaches(now: dt.datetime) -> int:
    return CloseApproach.objects.filter(at__lt=now - dt.timedelta(days=PASSED_DAYS)).delete()[0]


def remove_candidates(now: dt.datetime) -> int:
    """Objects that left the lists without a designation, with their targets; not where a campaign, a slot or a booking
    holds one.
    """
    limit = now - dt.timedelta(days=settings.CANDIDATE_RETENTION_DAYS)
    gone = Candidate.objects.filter(
        fate=Candidate.Fate.GONE, left_at__lt=limit, target__is_marked=False, target__current_orbit=None
    )
    removed = 0
    for target_id in list(gone.values_list("target_id", flat=True)):
        try:
            with transaction.atomic():
                removed += bool(Target.objects.filter(pk=target_id).delete()[0])
        except ProtectedError:
            continue
    return removed
