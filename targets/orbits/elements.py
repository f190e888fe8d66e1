"""Orbital elements and states of small bodies, and the batch in which the numerics carry them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from targets.orbits.kepler import GM_SUN, Conics
from targets.orbits.photometry import g1_g2_of_g12, slopes_of

if TYPE_CHECKING:
    from targets.orbits.tabulated import StateTable

FloatArray = NDArray[np.float64]

# Of the ecliptic of J2000 against the ICRF equator: the IAU 1976 value, as the MPC and JPL use it.
OBLIQUITY_RAD = np.radians(84381.448 / 3600.0)
_COS, _SIN = np.cos(OBLIQUITY_RAD), np.sin(OBLIQUITY_RAD)
ECLIPTIC_TO_EQUATOR = np.array([[1.0, 0.0, 0.0], [0.0, _COS, -_SIN], [0.0, _SIN, _COS]])
DEFAULT_G = 0.15


class ElementsError(ValueError):
    """Elements that describe no orbit. The message names the object and the field, and says what would be right."""

    def __init__(self, field: str, value: object, expected: str, name: str = "") -> None:
        self.field, self.value, self.expected, self.name = field, value, expected, name
        super().__init__(f"{name + ': ' if name else ''}{field} is {value}: expected {expected}")


def _require(good: NDArray[np.bool_], field: str, values: FloatArray, expected: str, names: Sequence[str]) -> None:
    if not np.all(good):
        first = int(np.argmin(good))
        raise ElementsError(field, float(values[first]), expected, names[first] if len(names) else "")


def _columns(names: Sequence[str], **columns: ArrayLike) -> list[FloatArray]:
    """The named columns as float arrays of one length, all finite."""
    arrays = [np.atleast_1d(np.asarray(values, dtype=float)) for values in columns.values()]
    for field, values in zip(columns, arrays, strict=True):
        _require(np.isfinite(values), field, values, "a finite number", names)
    return list(np.broadcast_arrays(*arrays))


def _oriented(
    q: FloatArray, e: FloatArray, i_deg: FloatArray, node_deg: FloatArray, peri_deg: FloatArray, since: FloatArray
) -> Conics:
    """Conics with their axes turned from the orbital plane into the ICRF equator (Euler angles on the ecliptic)."""
    i, node, peri = np.radians(i_deg), np.radians(node_deg), np.radians(peri_deg)
    cn, sn, cp, sp, ci, si = np.cos(node), np.sin(node), np.cos(peri), np.sin(peri), np.cos(i), np.sin(i)
    toward = np.stack([cn * cp - sn * sp * ci, sn * cp + cn * sp * ci, sp * si], axis=1)
    ahead = np.stack([-cn * sp - sn * cp * ci, -sn * sp + cn * cp * ci, cp * si], axis=1)
    return Conics(q, e, since, toward @ ECLIPTIC_TO_EQUATOR.T, ahead @ ECLIPTIC_TO_EQUATOR.T)


def _state(conics: Conics) -> FloatArray:
    position, velocity = conics.state_after(np.zeros((conics.e.size, 1)))
    return np.concatenate([position[:, 0], velocity[:, 0]], axis=1)


def _require_inclination(i_deg: FloatArray, names: Sequence[str]) -> None:
    _require((i_deg >= 0.0) & (i_deg <= 180.0), "i", i_deg, "an inclination of 0 to 180 deg", names)


def keplerian_to_state(
    a_au: ArrayLike,
    e: ArrayLike,
    i_deg: ArrayLike,
    node_deg: ArrayLike,
    peri_deg: ArrayLike,
    m_deg: ArrayLike,
    names: Sequence[str] = (),
) -> FloatArray:
    """Heliocentric ICRF states (n, 6) in au and au/d of Keplerian elements (n,) on the ecliptic of J2000.

    Hyperbolas have a < 0 and e > 1, and `m_deg` is n (t - tp) in degrees with n = sqrt(GM / |a|^3).
    Raises `ElementsError` for values that are not finite, for e < 0, and where a and e do not fit together.
    """
    a, e, i, node, peri, m = _columns(names, a=a_au, e=e, i=i_deg, node=node_deg, peri=peri_deg, M=m_deg)
    _require(e >= 0.0, "e", e, "an eccentricity of 0 or more", names)
    _require(a != 0.0, "a", a, "a semi-major axis other than 0", names)
    _require((a < 0.0) | (e < 1.0), "e", e, "e < 1 with a > 0 (else a < 0, or q and tp instead of a and M)", names)
    _require((a > 0.0) | (e > 1.0), "a", a, "a > 0 with e < 1, or e > 1 with a < 0", names)
    _require_inclination(i, names)
    mean_motion = np.sqrt(GM_SUN / np.abs(a) ** 3)
    m_rad = np.radians(np.where(e < 1.0, np.remainder(m + 180.0, 360.0) - 180.0, m))
    return _state(_oriented(a * (1.0 - e), e, i, node, peri, m_rad / mean_motion))


def cometary_to_state(
    q_au: ArrayLike,
    e: ArrayLike,
    i_deg: ArrayLike,
    node_deg: ArrayLike,
    peri_deg: ArrayLike,
    tp_tdb_mjd: ArrayLike,
    epoch_tdb_mjd: ArrayLike,
    names: Sequence[str] = (),
) -> FloatArray:
    """Heliocentric ICRF states (n, 6) in au and au/d of elements with perihelion distance and time; any e >= 0.

    Raises `ElementsError` for values that are not finite, for q <= 0 and for e < 0.
    """
    q, e, i, node, peri, tp, epoch = _columns(
        names, q=q_au, e=e, i=i_deg, node=node_deg, peri=peri_deg, tp=tp_tdb_mjd, epoch=epoch_tdb_mjd
    )
    _require(q > 0.0, "q", q, "a perihelion distance above 0 au", names)
    _require(e >= 0.0, "e", e, "an eccentricity of 0 or more", names)
    _require_inclination(i, names)
    return _state(_oriented(q, e, i, node, peri, epoch - tp))


def state_to_keplerian(state: ArrayLike) -> FloatArray:
    """Osculating a (au; negative for hyperbolas), e, i, node, peri, M (deg), (n, 6), of heliocentric ICRF states."""
    conics = Conics.from_state(state)
    toward, ahead = conics.toward_perihelion @ ECLIPTIC_TO_EQUATOR, conics.ahead @ ECLIPTIC_TO_EQUATOR
    pole = np.cross(toward, ahead)
    i = np.arctan2(np.hypot(pole[:, 0], pole[:, 1]), pole[:, 2])
    node = np.arctan2(pole[:, 0], -pole[:, 1])
    peri = np.arctan2(toward[:, 2], ahead[:, 2])  # both carry the factor sin i
    flat = np.hypot(pole[:, 0], pole[:, 1]) < 1e-14
    node = np.where(flat, 0.0, node)
    peri = np.where(flat, np.arctan2(toward[:, 1] * np.sign(pole[:, 2]), toward[:, 0]), peri)
    with np.errstate(divide="ignore"):
        a = conics.q_au / (1.0 - conics.e)
    m = np.degrees(np.sqrt(GM_SUN / np.abs(a) ** 3) * conics.since_perihelion_d)
    m = np.where(conics.e < 1.0, np.mod(m, 360.0), m)
    angles = np.mod(np.degrees(np.stack([node, peri], axis=1)), 360.0)
    return np.column_stack([a, conics.e, np.degrees(i), angles, m])


@dataclass(frozen=True)
class OrbitBatch:
    """n orbits, each with its own epoch: what the propagator takes."""

    names: tuple[str, ...]
    epoch_tdb_mjd: FloatArray  # (n,)
    state: FloatArray  # (n, 6) heliocentric ICRF, au and au/d
    nongrav: FloatArray  # (n, 3) A1, A2, A3 in au/d^2 at 1 au, falling with r^-2; 0 = none
    h_mag: FloatArray  # (n,) NaN = unknown
    g: FloatArray  # (n,)
    # (n, 4) 1-sigma of H; G1 and G2, in place of G; K1 of a comet, whose M1 stands for H. NaN = unknown, or none
    photometry: FloatArray = dataclasses.field(default_factory=lambda: np.empty((0, 4)))
    tables: NDArray[Any] = dataclasses.field(default_factory=lambda: np.empty(0, dtype=object))  # (n,) see `with_table`

    def __post_init__(self) -> None:
        n = len(self.names)
        if not self.photometry.size:
            object.__setattr__(self, "photometry", np.full((n, 4), np.nan))
        if not self.tables.size:
            object.__setattr__(self, "tables", np.full(n, None, dtype=object))
        shapes = {"epoch_tdb_mjd": (n,), "state": (n, 6), "nongrav": (n, 3), "h_mag": (n,), "g": (n,)}
        shapes |= {"photometry": (n, 4), "tables": (n,)}
        for field, shape in shapes.items():
            values = getattr(self, field)
            if values.shape != shape:
                raise ValueError(f"{field} has the shape {values.shape}: expected {shape}")
        for field in ("epoch_tdb_mjd", "state", "nongrav", "g"):
            values = getattr(self, field)
            rows = values.reshape(n, values.size // n if n else 1)
            _require(np.isfinite(rows).all(axis=1), field, rows.min(axis=1), "finite numbers", self.names)
        _require(~np.isinf(self.h_mag), "H", self.h_mag, "a finite number, or NaN where unknown", self.names)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def h_sigma_mag(self) -> FloatArray:
        """1-sigma of H (n,)."""
        return self.photometry[:, 0]

    @property
    def k1(self) -> FloatArray:
        """K1 of comets (n,)."""
        return self.photometry[:, 3]

    @property
    def slopes(self) -> NDArray[Any]:
        """Slopes of the phase functions (n,), see `photometry.slopes_of`."""
        return slopes_of(self.g, self.photometry[:, 1], self.photometry[:, 2], ~np.isnan(self.k1))

    def with_photometry(
        self,
        h_sigma_mag: ArrayLike = np.nan,
        g1: ArrayLike = np.nan,
        g2: ArrayLike = np.nan,
        g12: ArrayLike = np.nan,
        m1_mag: ArrayLike = np.nan,
        k1: ArrayLike = np.nan,
    ) -> OrbitBatch:
        """The same orbits with what else is known of their brightness, NaN where it is not: G1 and G2 or G12 in place
        of G, M1 and K1 in place of H.
        """
        n = len(self)
        sigma, first, second, both, m1, slope = (
            np.array(np.broadcast_to(np.asarray(each, dtype=float), (n,)))
            for each in (h_sigma_mag, g1, g2, g12, m1_mag, k1)
        )
        comet = ~np.isnan(m1) & ~np.isnan(slope)
        of_both = g1_g2_of_g12(both)
        first, second = (
            np.where(np.isnan(first) | np.isnan(second), other, own)
            for own, other in ((first, of_both[0]), (second, of_both[1]))
        )
        photometry = np.column_stack([sigma, first, second, np.where(comet, slope, np.nan)])
        return replace(self, h_mag=np.where(comet, m1, self.h_mag), photometry=photometry)

    def with_table(self, k: int, table: StateTable) -> OrbitBatch:
        """The same orbits, but the path of number `k` is that of a table: as it stands wherever it reaches, and
        integrated on from its middle beyond.
        """
        epoch, state, tables = self.epoch_tdb_mjd.copy(), self.state.copy(), self.tables.copy()
        epoch[k], state[k] = table.middle
        tables[k] = table
        return replace(self, epoch_tdb_mjd=epoch, state=state, tables=tables)

    @property
    def is_tabulated(self) -> NDArray[np.bool_]:
        """Which orbits (n,) have a table."""
        return np.array([table is not None for table in self.tables], dtype=bool)

    @classmethod
    def from_state(
        cls,
        names: Sequence[str],
        epoch_tdb_mjd: ArrayLike,
        state: ArrayLike,
        h_mag: ArrayLike = np.nan,
        g: ArrayLike = DEFAULT_G,
        nongrav: ArrayLike | None = None,
    ) -> OrbitBatch:
        """From heliocentric ICRF states (n, 6) in au and au/d. G that is NaN becomes 0.15."""
        n = len(names)

        def column(values: ArrayLike) -> FloatArray:
            return np.array(np.broadcast_to(np.asarray(values, dtype=float), (n,)))

        slope = column(g)
        terms = np.zeros((n, 3)) if nongrav is None else np.nan_to_num(np.asarray(nongrav, dtype=float), nan=0.0)
        return cls(
            tuple(names),
            column(epoch_tdb_mjd),
            np.asarray(state, dtype=float).reshape(n, 6),
            terms.reshape(n, 3),
            column(h_mag),
            np.where(np.isnan(slope), DEFAULT_G, slope),
        )

    @classmethod
    def from_keplerian(
        cls,
        names: Sequence[str],
        epoch_tdb_mjd: ArrayLike,
        a_au: ArrayLike,
        e: ArrayLike,
        i_deg: ArrayLike,
        node_deg: ArrayLike,
        peri_deg: ArrayLike,
        m_deg: ArrayLike,
        h_mag: ArrayLike = np.nan,
        g: ArrayLike = DEFAULT_G,
        nongrav: ArrayLike | None = None,
    ) -> OrbitBatch:
        """From a, e, i, node, peri, M (see `keplerian_to_state`)."""
        state = keplerian_to_state(a_au, e, i_deg, node_deg, peri_deg, m_deg, names)
        return cls.from_state(names, epoch_tdb_mjd, state, h_mag, g, nongrav)

    @classmethod
    def from_cometary(
        cls,
        names: Sequence[str],
        epoch_tdb_mjd: ArrayLike,
        q_au: ArrayLike,
        e: ArrayLike,
        i_deg: ArrayLike,
        node_deg: ArrayLike,
        peri_deg: ArrayLike,
        tp_tdb_mjd: ArrayLike,
        h_mag: ArrayLike = np.nan,
        g: ArrayLike = DEFAULT_G,
        nongrav: ArrayLike | None = None,
    ) -> OrbitBatch:
        """From q, e, i, node, peri, tp (see `cometary_to_state`)."""
        state = cometary_to_state(q_au, e, i_deg, node_deg, peri_deg, tp_tdb_mjd, epoch_tdb_mjd, names)
        return cls.from_state(names, epoch_tdb_mjd, state, h_mag, g, nongrav)

    def take(self, index: ArrayLike) -> OrbitBatch:
        """The orbits at `index` (integers, a boolean mask or a slice's indices), in that order."""
        chosen = np.arange(len(self))[np.asarray(index)]
        arrays = {f.name: getattr(self, f.name)[chosen] for f in fields(self) if f.name != "names"}
        return replace(self, names=tuple(self.names[k] for k in chosen), **arrays)

    @staticmethod
    def concatenate(batches: Sequence[OrbitBatch]) -> OrbitBatch:
        """One batch of several, in order."""
        arrays = {
            f.name: np.concatenate([getattr(batch, f.name) for batch in batches])
            for f in fields(OrbitBatch)
            if f.name != "names"
        }
        return OrbitBatch(names=tuple(name for batch in batches for name in batch.names), **arrays)
