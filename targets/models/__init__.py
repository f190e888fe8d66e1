"""What is observed: targets, their orbits and ephemerides; and what others say of them: risk, approaches."""

from .catalogue import Designation, Ephemeris, EphemerisQuerySet, Orbit, Target, TargetQuerySet, visible_target_q
from .watched import Candidate, CloseApproach, OrbitCheck, RiskAssessment

__all__ = [
    "Candidate",
    "CloseApproach",
    "Designation",
    "Ephemeris",
    "EphemerisQuerySet",
    "Orbit",
    "OrbitCheck",
    "RiskAssessment",
    "Target",
    "TargetQuerySet",
    "visible_target_q",
]
