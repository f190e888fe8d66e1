"""The ephemeris of a target of the catalogue from any site, as the command `ephemeris` computes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coordination.common.problems import DomainError
from coordination.common.timescales import to_datetime
from targets.models import Target
from targets.services import current_orbits
from targets.services.ephemerides import planets
from targets.services.orbit_quality import current_knowledge, knowledge_of

from .ephemeris_rows import KnownTargets, trusted_ephemeris_columns
from .inputs import InputError, Site
from .trusting import Knowledge

MOST_ROWS = 10_000
_NOT_TOLD = ("name", "site")  # the same in every row


@dataclass(frozen=True)
class TargetEphemeris:
    """Rows by column, and what is left out of them and why."""

    rows: list[Mapping[str, Any]]
    left_out: list[str]


def ephemeris_of(target: Target, site: Site, utc: NDArray[np.datetime64], *, uncertainty: bool) -> TargetEphemeris:
    """At instants (n,), from the current orbit. Raises DomainError for a target without an orbit, one whose orbit is
    unusable at all of them (with the reason) or that hit the Earth before, and for dates that cannot be computed.
    """
    names = [target.designation]
    left_out: list[str] = []
    try:
        covariances = None
        orbits = current_orbits(names, (to_datetime(utc.min()), to_datetime(utc.max())))
        if uncertainty:
            qualities, covariances = current_knowledge(names, planets(), orbits)
            published = knowledge_of(names, orbits)[1]
        else:
            qualities, published = knowledge_of(names, orbits)
        known = KnownTargets(orbits, Knowledge(qualities, published), covariances)
        columns = trusted_ephemeris_columns(known, [site], utc, planets(), left_out.append, with_flags=True)
    except InputError as error:
        raise DomainError(str(error), field="target", value=str(target)) from error
    except ValueError as error:
        raise DomainError(str(error), field="start" if utc.size > 1 else "times") from error
    told = [column for column in columns if column.name not in _NOT_TOLD]
    values = zip(*(column.as_json() for column in told), strict=True)
    return TargetEphemeris([dict(zip([c.name for c in told], row, strict=True)) for row in values], left_out)
