"""What is observed: targets, their orbits and ephemerides; and what others say of them: risk, approaches, positions."""

from .catalogue import Designation, Ephemeris, EphemerisQuerySet, Orbit, Target, TargetQuerySet, visible_target_q
from .horizons import EphemerisComparison, HorizonsTable
from .watched import Candidate, CloseApproach, OrbitCheck, RiskAssessment

__all__ = [
    "Candidate",
    "CloseApproach",
    "Designation",
    "Ephemeris",
    "EphemerisComparison",
    "EphemerisQuerySet",
    "HorizonsTable",
    "Orbit",
    "OrbitCheck",
    "RiskAssessment",
    "Target",
    "TargetQuerySet",
    "visible_target_q",
]
