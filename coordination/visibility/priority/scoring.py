"""From measures to parts, and from parts to the score.

A part is the weighted mean of those of its measures that are known: one that is not known neither raises nor lowers it.
A part of which nothing is known is NEUTRAL. The score is the weighted mean of the parts, with 1 - cost for the cost:

    score = (w_i importance + w_n need + w_u urgency + w_c (1 - cost)) / (w_i + w_n + w_u + w_c)

All of it lies in 0 to 1. The score grows with every measure of importance, need and urgency, and falls with every one
of the cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

NEUTRAL = 0.5
COST = "cost"
PARTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "importance": ("size", "moid", "impact", "confirmation"),
        "need": ("uncertainty", "arc", "u", "unseen"),
        "urgency": ("last_chance", "fading", "leaving_field", "closing"),
        COST: ("exposure", "rate", "length", "altitude"),
    }
)
MEASURES = tuple(name for names in PARTS.values() for name in names)


@dataclass(frozen=True)
class Weights:
    """Weights of the parts among each other, and of the measures inside their part; only their ratios count.

    Raises ValueError for a weight that is negative or not finite, and where all of one mean are 0.
    """

    importance: float = 35.0
    need: float = 25.0
    urgency: float = 25.0
    cost: float = 15.0
    size: float = 25.0
    moid: float = 20.0
    impact: float = 35.0
    confirmation: float = 20.0
    uncertainty: float = 40.0
    arc: float = 20.0
    u: float = 20.0
    unseen: float = 20.0
    last_chance: float = 40.0
    fading: float = 20.0
    leaving_field: float = 20.0
    closing: float = 20.0
    exposure: float = 40.0
    rate: float = 20.0
    length: float = 20.0
    altitude: float = 20.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (np.isfinite(value) and value >= 0.0):
                raise ValueError(f"{field.name} is {value}: expected a finite number of 0 or more")
        for what, names in (("parts", tuple(PARTS)), *PARTS.items()):
            if not any(getattr(self, name) > 0.0 for name in names):
                raise ValueError(f"all weights of {what} are 0: expected one of {', '.join(names)} greater than 0")


@dataclass(frozen=True)
class Scores:
    """Of n targets. score (n,); parts: name -> (n,), all in 0 to 1; is_known: name of the part -> (n,), false where the
    part is NEUTRAL because nothing is known of it.
    """

    score: FloatArray
    parts: Mapping[str, FloatArray]
    is_known: Mapping[str, NDArray[np.bool_]]


def score(measures: Mapping[str, ArrayLike], weights: Weights) -> Scores:
    """measures: name of MEASURES -> (n,) in 0 to 1, NaN where not known. Raises ValueError for any others."""
    if set(measures) != set(MEASURES):
        raise ValueError(f"measures {sorted(measures)}: expected {', '.join(MEASURES)}")
    parts, known = {}, {}
    for part, names in PARTS.items():
        values = np.array(np.broadcast_arrays(*(np.asarray(measures[name], dtype=float) for name in names)))
        if np.any((values < 0.0) | (values > 1.0)):
            raise ValueError(f"a measure of {part} is outside 0 to 1")
        weight = np.array([getattr(weights, name) for name in names])
        parts[part], known[part] = _mean_of_known(values, weight)
    told = np.array([1.0 - parts[part] if part == COST else parts[part] for part in PARTS])
    total, _ = _mean_of_known(told, np.array([getattr(weights, part) for part in PARTS]))
    return Scores(total, parts, known)


def _mean_of_known(values: FloatArray, weight: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Weighted means (n,) of the values (k, n) that are known, and whether any with a weight is."""
    weight = weight / weight.max()
    there = np.isfinite(values)
    shares = np.where(there, weight[:, None], 0.0)
    total = shares.sum(axis=0)
    known = total > 0.0
    mean = (shares * np.where(there, values, 0.0)).sum(axis=0) / np.where(known, total, 1.0)
    return np.where(known, np.clip(mean, 0.0, 1.0), NEUTRAL), known
