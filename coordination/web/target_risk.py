"""What providers say of a target beside its orbit: risk, passages by the Earth; and since when each says so."""

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _

from coordination.common.models import SourceState
from coordination.common.sources import source_named
from targets.models import CloseApproach, EphemerisComparison, Orbit, RiskAssessment, Target

MOST_PASSAGES = 12
_FRESH_ORBIT = dt.timedelta(days=30)  # of a target that comes with the weekly catalogue only
LUNAR_DISTANCE_AU = 384_400.0 / 149_597_870.7


@dataclass(frozen=True)
class AsOf:
    """Since when something is as it is; None: never asked."""

    at: dt.datetime | None
    is_stale: bool


@dataclass(frozen=True)
class Passage:
    approach: CloseApproach
    lunar_distances: float


@dataclass(frozen=True)
class Watched:
    """`orbit`, `risk_list` and `passage_list`: the age of each. A target that is not on the risk list has no `risk`.
    `compared`: with Horizons, where it was.
    """

    orbit: AsOf
    compared: EphemerisComparison | None
    risk: RiskAssessment | None
    risk_list: AsOf
    passages: list[Passage]
    passage_list: AsOf


def watched_of(target: Target, orbit: Orbit | None, now: dt.datetime) -> Watched:
    """Of a target with `orbit_check` and `ephemeris_comparison` at hand. Three queries."""
    compared = getattr(target, "ephemeris_comparison", None)
    states = SourceState.objects.in_bulk(["sentry", "cad"])
    passages = target.close_approaches.filter(at__gte=now).order_by("at")[:MOST_PASSAGES]
    return Watched(
        orbit=_orbit_as_of(target, orbit, now),
        compared=compared if compared is not None and compared.compared_at else None,
        risk=target.risk_assessments.filter(ended_at=None).first(),
        risk_list=_list_as_of(states, "sentry", now),
        passages=[Passage(each, each.distance_au / LUNAR_DISTANCE_AU) for each in passages],
        passage_list=_list_as_of(states, "cad", now),
    )


def _orbit_as_of(target: Target, orbit: Orbit | None, now: dt.datetime) -> AsOf:
    """When the orbit was taken over, or last found to be what its provider says."""
    if orbit is None:
        return AsOf(None, False)
    check = getattr(target, "orbit_check", None)
    answered = check.answered_at if check is not None else None
    at = max(orbit.created_at, answered) if answered else orbit.created_at
    source = source_named("sbdb") if check is not None else None
    return AsOf(at, now - at > (source.fresh_for if source else _FRESH_ORBIT))


def _list_as_of(states: dict[str, SourceState], name: str, now: dt.datetime) -> AsOf:
    state, source = states.get(name), source_named(name)
    at = state.last_success_at if state is not None else None
    return AsOf(at, at is not None and source is not None and now - at > source.fresh_for)


def torino_in_words(level: int) -> str:
    """The colour of the Torino scale, which says how a hazard is to be taken."""
    names = (_("no hazard"), _("normal"), _("meriting attention by astronomers"), _("threatening"),
             _("certain collision"))  # fmt: skip
    return names[0 if level == 0 else 1 if level == 1 else 2 if level <= 4 else 3 if level <= 7 else 4]
