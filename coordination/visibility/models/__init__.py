"""Stored windows and the work that computes them; windows that were asked for with constraints of their own."""

from .on_demand import ComputationPart, ComputedWindow, WindowComputation
from .windows import EDGES, Chunk, Computation, TelescopeCoverage, VisibilityWindow, WindowQuerySet

__all__ = [
    "EDGES",
    "Chunk",
    "Computation",
    "ComputationPart",
    "ComputedWindow",
    "TelescopeCoverage",
    "VisibilityWindow",
    "WindowComputation",
    "WindowQuerySet",
]
