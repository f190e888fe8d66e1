"""What merging two targets would come to, for who has to decide it."""

from dataclasses import dataclass

from coordination.common import merging
from coordination.common.problems import DomainError
from targets.models import Orbit, Target

from .merging import other_takes_over, require_mergeable

_OPENNESS = (Target.Visibility.CAMPAIGN, Target.Visibility.SIGNED_IN, Target.Visibility.PUBLIC)


@dataclass(frozen=True)
class MergePreview:
    """moves: how many of what move to the kept target, or are computed anew for it.
    designations: all under which it is found then.
    conflict: why the two are not merged; empty where they can be.
    """

    kept: Target
    merged: Target
    moves: dict[str, int]
    designations: list[str]
    current_orbit: Orbit | None
    conflict: str

    @property
    def opens(self) -> bool:
        """Whether more people may know of the merged target's affairs than did."""
        return _OPENNESS.index(self._visibility) > _OPENNESS.index(Target.Visibility(self.merged.visibility))

    @property
    def hides(self) -> bool:
        """Whether fewer may."""
        return _OPENNESS.index(self._visibility) < _OPENNESS.index(Target.Visibility(self.merged.visibility))

    @property
    def _visibility(self) -> Target.Visibility:
        return Target.Visibility(self.kept.visibility)


def preview_merge(kept: Target, merged: Target) -> MergePreview:
    """A constant number of queries, and no change."""
    conflict = ""
    try:
        require_mergeable(kept, merged)
    except DomainError as error:
        conflict = error.detail
    mine = kept.orbits.values("fingerprint")
    moves = {
        "designations": merged.designations.count(),
        "orbits": merged.orbits.exclude(fingerprint__in=mine).count(),
        "risk assessments": merged.risk_assessments.count(),
        "close approaches": merged.close_approaches.exclude(at__in=kept.close_approaches.values("at")).count(),
        "facts as a candidate": merged.candidates.count(),
        **merging.concerned_by(merged.pk),
    }
    called = [each.text for target in (kept, merged) for each in target.designations.all()]
    current = merged.current_orbit if other_takes_over(kept, merged) else kept.current_orbit
    return MergePreview(kept, merged, moves, called, current, conflict)
