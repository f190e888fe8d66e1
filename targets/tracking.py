"""Which targets are kept current: in an open campaign, on a risk list, near the Earth soon, or marked by hand."""

import datetime as dt

from django.db.models import Exists, OuterRef, Q, QuerySet

from coordination.common import clock, tracking

from .models import CloseApproach, RiskAssessment, Target

APPROACH_AHEAD = dt.timedelta(days=60)
URGENT_AROUND_APPROACH = dt.timedelta(days=3)  # before and after: when an hour's astrometry moves the place


def tracked_targets() -> QuerySet[Target]:
    """Those whose orbit is refreshed daily."""
    now = clock.now()
    at_risk = Exists(RiskAssessment.objects.filter(target=OuterRef("pk"), ended_at=None))
    condition = Q(is_marked=True) | Q(at_risk) | Q(_approaches(now, now + APPROACH_AHEAD)) | tracking.tracked_q()
    return Target.objects.filter(condition | _urgent_q(now))


def urgent_targets() -> QuerySet[Target]:
    """Those of them that are refreshed hourly: inside the period of an open campaign, or close by."""
    return Target.objects.filter(_urgent_q(clock.now()))


def _urgent_q(now: dt.datetime) -> Q:
    return Q(_approaches(now - URGENT_AROUND_APPROACH, now + URGENT_AROUND_APPROACH)) | tracking.urgent_q()


def _approaches(since: dt.datetime, until: dt.datetime) -> Exists:
    return Exists(CloseApproach.objects.filter(target=OuterRef("pk"), at__range=(since, until)))
