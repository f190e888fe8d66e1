"""What every provider's file is read into: one object with one orbit."""

import datetime as dt
import hashlib
import json
import math
from dataclasses import asdict, dataclass


class RecordError(ValueError):
    """A row that cannot be used: which field, and what would be right. The rest of its file can."""

    def __init__(self, name: str, reason: str) -> None:
        self.name, self.reason = name, reason
        super().__init__(f"{name}: {reason}")


EPOCH_JD_RANGE = (2_300_000.0, 2_600_000.0)  # years 1584 to 2406: catches an MJD in the place of a JD
# What numbers of an orbit can be. The database holds the same bounds: it would take NaN for greater than every number.
ORBIT_RANGES: dict[str, tuple[float, float]] = {
    "epoch_tdb_jd": EPOCH_JD_RANGE,
    "a_au": (-1e9, 1e9),
    "e": (0.0, 1e6),
    "i_deg": (0.0, 180.0),
    "node_deg": (-1e6, 1e6),
    "peri_deg": (-1e6, 1e6),
    "mean_anomaly_deg": (-1e12, 1e12),
    "q_au": (1e-6, 1e6),
    "tp_tdb_jd": (1_000_000.0, 4_000_000.0),
    "a1_au_d2": (-1.0, 1.0),
    "a2_au_d2": (-1.0, 1.0),
    "a3_au_d2": (-1.0, 1.0),
    "h_mag": (-50.0, 100.0),
    "h_sigma_mag": (0.0, 50.0),
    "g_slope": (-10.0, 10.0),
    "g1": (-10.0, 10.0),
    "g2": (-10.0, 10.0),
    "g12": (-10.0, 10.0),
    "m1_mag": (-50.0, 100.0),
    "k1": (-100.0, 100.0),
    "arc_days": (0.0, 1e6),
    "rms_arcsec": (0.0, 1e6),
}
LONGEST_DESIGNATION, LONGEST_TEXT, LONGEST_CLASS, LARGEST_COUNT = 40, 64, 32, 2**31 - 1


def require_text(name: str, field: str, text: str, longest: int = LONGEST_TEXT) -> str:
    """The text, if the database can hold it: one row that it cannot hold would take all the others of its file along.

    Raises RecordError.
    """
    if len(text) > longest:
        raise RecordError(name[:LONGEST_TEXT], f"{field} has {len(text)} characters: expected at most {longest}")
    if not text.isprintable():
        raise RecordError(ascii(name), f"{field} is {text!a}: expected printable characters")
    return text


# Fields that came later: left out of the fingerprint where they say nothing, so that known solutions stay known.
_LATER_FIELDS = frozenset(
    {"q_au", "tp_tdb_jd", "h_sigma_mag", "g1", "g2", "g12", "m1_mag", "k1", "solved_at", "covariance"}
)


@dataclass(frozen=True, slots=True)
class OrbitRecord:
    """One published solution: heliocentric ecliptic J2000 elements, epoch TDB, with its statistics.

    `arc_days` is the length of the observed arc. Where a provider gives only the years of the first and the last
    observation (MPC, for more than one opposition) it is the years' difference times 365.25: good to a year. Where
    both are in one year it is half of what had passed of that year at the last observation: such an arc of two
    oppositions is months long, and a zero would put it among those of a few days.
    """

    source: str
    epoch_tdb_jd: float
    a_au: float | None
    e: float
    i_deg: float
    node_deg: float
    peri_deg: float
    mean_anomaly_deg: float | None
    a1_au_d2: float | None = None
    a2_au_d2: float | None = None
    a3_au_d2: float | None = None
    h_mag: float | None = None
    g_slope: float = 0.15
    q_au: float | None = None  # with tp_tdb_jd in place of a and M, near the parabola
    tp_tdb_jd: float | None = None
    h_sigma_mag: float | None = None
    g1: float | None = None
    g2: float | None = None
    g12: float | None = None
    m1_mag: float | None = None
    k1: float | None = None
    reference: str = ""
    u_parameter: str = ""
    arc_days: float | None = None
    arc_text: str = ""
    last_observed_on: dt.date | None = None
    observation_count: int | None = None
    opposition_count: int | None = None
    rms_arcsec: float | None = None
    solved_at: dt.datetime | None = None  # of the solution, as its source says
    covariance: dict[str, object] | None = None  # labels, data, epoch and elements, as SBDB publishes it

    def require_conic(self, name: str) -> None:
        """Raise RecordError for elements that describe no orbit."""
        for field, (low, high) in ORBIT_RANGES.items():
            value = getattr(self, field)
            if value is not None and not math.isfinite(value):
                raise RecordError(name, f"{field} is {value}: expected a finite number")
            if value is not None and not low <= value <= high and field not in ("epoch_tdb_jd", "e", "i_deg"):
                raise RecordError(name, f"{field} is {value}: expected {low:g} to {high:g}")
        low, high = EPOCH_JD_RANGE
        if not low < self.epoch_tdb_jd < high:
            raise RecordError(name, f"Epoch is {self.epoch_tdb_jd}: expected a Julian date (TDB) such as 2461000.5")
        if not 0.0 <= self.e <= ORBIT_RANGES["e"][1]:
            raise RecordError(name, f"e is {self.e}: expected 0 or more")
        if not 0.0 <= self.i_deg <= 180.0:
            raise RecordError(name, f"i is {self.i_deg} deg: expected 0 to 180")
        if (self.g1 is None) != (self.g2 is None) or (self.g1 is not None and self.g12 is not None):
            raise RecordError(name, "G1, G2, G12: expected G1 with G2 and without G12")
        if (self.m1_mag is None) != (self.k1 is None):
            raise RecordError(name, "M1, K1: expected both or neither")
        if self.q_au is not None and self.tp_tdb_jd is not None:
            return
        if self.a_au is None or self.mean_anomaly_deg is None:
            raise RecordError(name, "has neither a and M nor q and tp: expected one of these pairs")
        if self.e == 1.0:
            raise RecordError(name, "e is exactly 1: a parabola has no semi-major axis; expected q and tp, or e not 1")
        if (self.e < 1.0) != (self.a_au > 0.0):
            raise RecordError(
                name, f"e is {self.e} and a is {self.a_au} au: expected e < 1 with a > 0, or e > 1 with a < 0"
            )

    def fingerprint(self) -> str:
        """The same for the same solution, whoever sends it again."""
        told = {name: value for name, value in asdict(self).items() if value is not None or name not in _LATER_FIELDS}
        text = json.dumps(told, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class TargetRecord:
    """An object under all its designations, with the orbit that came with it, if any did."""

    number: str  # permanent number as digits, or empty
    provisional: tuple[str, ...]  # principal first
    name: str
    orbit: OrbitRecord | None
    orbit_class: str = ""
    is_neo: bool = False
    is_pha: bool = False
    is_confidential: bool = False  # of the confirmation page: not for the public

    @property
    def designation(self) -> str:
        """By which it is listed: its number, else its principal designation, else its name."""
        return self.number or (self.provisional[0] if self.provisional else self.name)
