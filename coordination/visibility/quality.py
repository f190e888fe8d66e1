"""Which orbits are good enough to be listed unasked. A third of the known near-Earth objects were seen for some days
only.
"""

import datetime as dt

from django.db.models import Q

RELIABLE_U = ["0", "1", "2", "3", "4", "5"]
RELIABLE_DAYS = 30
RELIABLE_MEANS = "orbits with U <= 5 or observed within the last 30 days"


def reliable_q(now: dt.datetime) -> Q:
    """The condition on windows whose orbit can be relied on."""
    recently = now.date() - dt.timedelta(days=RELIABLE_DAYS)
    return Q(orbit__u_parameter__in=RELIABLE_U) | Q(orbit__last_observed_on__gte=recently)
