"""Stored windows and the work that computes them; windows that were asked for with constraints of their own; weights of
the ranking.
"""

from .on_demand import ComputationPart, ComputedWindow, WindowComputation
from .priority import PriorityWeights
from .windows import EDGES, Chunk, Computation, TelescopeCoverage, VisibilityWindow, WindowQuerySet, windows_concerned

__all__ = [
    "EDGES",
    "Chunk",
    "Computation",
    "ComputationPart",
    "ComputedWindow",
    "PriorityWeights",
    "TelescopeCoverage",
    "VisibilityWindow",
    "WindowComputation",
    "WindowQuerySet",
    "windows_concerned",
]
