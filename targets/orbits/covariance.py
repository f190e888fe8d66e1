"""How well an orbit is known: the covariance of its elements as published, checked, and its sigma points.

Elements are those of SBDB: e, q (au), tp (MJD TDB here), node, peri, i (deg, ecliptic of J2000), and, where they
were estimated, A1, A2, A3 (au/d^2) and DT (d). DT, the delay of a comet's outgassing, is not part of our forces:
what is left is then the marginal covariance of the others, which is what its errors do to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from targets.orbits.elements import OrbitBatch
from targets.orbits.planets import MJD_ZERO_JD

FloatArray = NDArray[np.float64]

ELEMENTS = ("e", "q", "tp", "node", "peri", "i")
FORCES = ("A1", "A2", "A3")
UNMODELLED = ("DT",)
LABELS = (*ELEMENTS, *FORCES, *UNMODELLED)
_ASYMMETRY = 1e-6  # of the correlations: roundings of printed matrices are far smaller
_SHORTEST_STEP = 2.0**-20


class CovarianceError(ValueError):
    """A covariance that is none. The message names the object and the field, and says what would be right."""

    def __init__(self, field: str, value: object, expected: str, name: str = "") -> None:
        self.field, self.value, self.expected, self.name = field, value, expected, name
        super().__init__(f"{name + ': ' if name else ''}{field} {value}: expected {expected}")


@dataclass(frozen=True)
class OrbitCovariance:
    """The elements of one orbit at the epoch of their covariance, and the covariance, rows in the order of `labels`.

    Raises `CovarianceError` for labels that are unknown, repeated or missing, and for a matrix of the wrong shape, with
    numbers that are not finite, not symmetric or not positive definite.
    """

    name: str
    epoch_tdb_mjd: float
    labels: tuple[str, ...]
    elements: FloatArray  # (6,) in the order of ELEMENTS, tp as MJD of TDB
    matrix: FloatArray  # (k, k)
    nongrav: FloatArray  # (3,) A1, A2, A3, estimated or assumed; 0 = none
    is_estimate: bool = False  # made from the quality of the orbit, not from its fit

    def __post_init__(self) -> None:
        self._require_labels()
        for field, shape in (("elements", (6,)), ("nongrav", (3,)), ("matrix", (len(self.labels),) * 2)):
            values = np.asarray(getattr(self, field), dtype=float)
            object.__setattr__(self, field, values)
            if values.shape != shape:
                raise self._error(f"{field} (covariance)", f"has the shape {values.shape}", f"{shape}")
            if not np.isfinite(values).all():
                raise self._error(f"{field} (covariance)", "has NaN or infinity", "finite numbers")
        if not np.isfinite(self.epoch_tdb_mjd):
            raise self._error("epoch (covariance)", f"is {self.epoch_tdb_mjd}", "a finite number")
        self._require_positive_definite()

    def _error(self, field: str, value: object, expected: str) -> CovarianceError:
        return CovarianceError(field, value, expected, self.name)

    def _require_labels(self) -> None:
        known = f"{','.join(ELEMENTS)} and, where estimated, {','.join((*FORCES, *UNMODELLED))}"
        if unknown := [label for label in self.labels if label not in LABELS]:
            raise self._error("labels (covariance)", f"has the unknown {', '.join(unknown)}", known)
        if missing := [label for label in ELEMENTS if label not in self.labels]:
            raise self._error("labels (covariance)", f"lacks {', '.join(missing)}", known)
        if len(set(self.labels)) < len(self.labels):
            raise self._error("labels (covariance)", f"repeats one: {','.join(self.labels)}", known)

    def _require_positive_definite(self) -> None:
        variances = np.diagonal(self.matrix)
        if (lowest := int(np.argmin(variances))) >= 0 and variances[lowest] <= 0.0:
            value = f"has the variance {variances[lowest]:.6g} for {self.labels[lowest]}"
            raise self._error("matrix (covariance)", f"is not positive definite: {value}", "variances above 0")
        correlation = self._correlation
        if np.abs(correlation - correlation.T).max() > _ASYMMETRY:
            raise self._error("matrix (covariance)", "is not symmetric", "the same values above and below the diagonal")
        smallest = float(np.linalg.eigvalsh(0.5 * (correlation + correlation.T))[0])
        if smallest <= 0.0:
            value = f"is not positive definite: the smallest eigenvalue of its correlations is {smallest:.6g}"
            raise self._error("matrix (covariance)", value, "all eigenvalues above 0")

    @property
    def _correlation(self) -> FloatArray:
        sigma = np.sqrt(np.diagonal(self.matrix))
        return np.asarray(self.matrix / np.outer(sigma, sigma))

    @classmethod
    def from_sbdb(cls, orbit: Mapping[str, Any], name: str = "") -> OrbitCovariance:
        """From the `orbit` of an SBDB reply (cov=mat, full-prec=true).

        The elements are those inside the covariance where it has an epoch of its own. Raises `CovarianceError` where
        there is no covariance, elements are missing or something is no number.
        """
        block = orbit.get("covariance")
        if not isinstance(block, Mapping):
            raise CovarianceError("covariance", "is missing", "labels, data and epoch (cov=mat)", name)
        labels = [str(label) for label in _list(block, "labels", name)]
        epoch_jd = _number(block.get("epoch"), "epoch (covariance)", name)
        listed = block.get("elements")
        if not listed:
            if epoch_jd != _number(orbit.get("epoch"), "epoch", name):
                expected = "elements inside the covariance, or the same epoch for both"
                raise CovarianceError("epoch (covariance)", f"is {epoch_jd}, not that of the orbit", expected, name)
            listed = orbit.get("elements")
        given = {str(each.get("label")): each.get("value") for each in listed or []}
        values = np.array([_number(given.get(label), f"{label} (covariance)", name) for label in ELEMENTS])
        values[ELEMENTS.index("tp")] -= MJD_ZERO_JD
        forces = {str(each.get("name")): each.get("value") for each in orbit.get("model_pars") or []}
        nongrav = [_number(forces.get(label, 0.0), label, name) for label in FORCES]
        matrix = _matrix(_list(block, "data", name), labels, name)
        return cls(name, epoch_jd - MJD_ZERO_JD, tuple(labels), values, matrix, np.array(nongrav))

    @cached_property
    def columns(self) -> FloatArray:
        """Displacements (9, m) of the elements and A1, A2, A3: columns of the Cholesky factor that move the orbit."""
        order = [self.labels.index(label) for label in LABELS if label in self.labels]  # DT last: its column is empty
        modelled = [LABELS.index(self.labels[k]) for k in order if self.labels[k] not in UNMODELLED]
        correlation = 0.5 * (self._correlation + self._correlation.T)[np.ix_(order, order)]
        factor = np.sqrt(np.diagonal(self.matrix))[order][:, None] * np.linalg.cholesky(correlation)
        columns = np.zeros((len(ELEMENTS) + len(FORCES), len(modelled)))
        columns[modelled] = factor[: len(modelled), : len(modelled)]
        return columns

    @cached_property
    def step(self) -> float:
        """How many sigmas the sigma points lie apart from the solution: 1, less where 1 would leave what orbits are."""
        step = 1.0
        while step > _SHORTEST_STEP:
            e, q, _, _, _, i = self.elements[:, None] + step * np.concatenate([self.columns, -self.columns], axis=1)[:6]
            if (e >= 0.0).all() and (q > 0.0).all() and (i >= 0.0).all() and (i <= 180.0).all():
                break
            step *= 0.5
        return step

    def sigma_points(self) -> OrbitBatch:
        """The solution, then + the columns times `step`, then - the columns: 1 + 2 m orbits."""
        moved = self.step * self.columns
        return self.orbits(np.concatenate([np.zeros((9, 1)), moved, -moved], axis=1))

    def sample(self, count: int, rng: np.random.Generator) -> OrbitBatch:
        """Orbits drawn from the covariance; those that are none (e < 0 and the like) are left out."""
        drawn = self.columns @ rng.standard_normal((self.columns.shape[1], count))
        e, q, _, _, _, i = self.elements[:, None] + drawn[:6]
        return self.orbits(drawn[:, (e >= 0.0) & (q > 0.0) & (i >= 0.0) & (i <= 180.0)])

    def orbits(self, displacements: FloatArray) -> OrbitBatch:
        """Orbits displaced from the solution by the columns of (9, n): elements as in ELEMENTS, then A1, A2, A3."""
        e, q, tp, node, peri, i = self.elements[:, None] + displacements[:6]
        return OrbitBatch.from_cometary(
            [self.name] * displacements.shape[1],
            self.epoch_tdb_mjd,
            q,
            e,
            i,
            node,
            peri,
            tp,
            nongrav=(self.nongrav[:, None] + displacements[6:]).T,
        )


def _list(block: Mapping[str, Any], field: str, name: str) -> Sequence[Any]:
    values = block.get(field)
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise CovarianceError(f"{field} (covariance)", f"is {values!r}", "a list", name)
    return values


def _number(value: Any, field: str, name: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise CovarianceError(field, f"is {value!r}", "a number", name) from None


def _matrix(rows: Sequence[Any], labels: Sequence[str], name: str) -> FloatArray:
    """The numbers of a square matrix given as rows of text."""
    k = len(labels)
    if len(rows) != k or any(not isinstance(row, Sequence) or isinstance(row, str) or len(row) != k for row in rows):
        lengths = sorted({len(row) if isinstance(row, Sequence) else 0 for row in rows})
        value = f"has {len(rows)} rows of {' or '.join(map(str, lengths)) or 'no'} values"
        raise CovarianceError("matrix (covariance)", value, f"{k} x {k} for the labels {','.join(labels)}", name)
    return np.array([[_number(value, "matrix (covariance)", name) for value in row] for row in rows])
