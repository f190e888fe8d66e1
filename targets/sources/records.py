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
    a_au: float
    e: float
    i_deg: float
    node_deg: float
    peri_deg: float
    mean_anomaly_deg: float
    a1_au_d2: float | None = None
    a2_au_d2: float | None = None
    a3_au_d2: float | None = None
    h_mag: float | None = None
    g_slope: float = 0.15
    reference: str = ""
    u_parameter: str = ""
    arc_days: float | None = None
    arc_text: str = ""
    last_observed_on: dt.date | None = None
    observation_count: int | None = None
    opposition_count: int | None = None
    rms_arcsec: float | None = None

    def require_conic(self, name: str) -> None:
        """Raise RecordError for elements that describe no orbit."""
        for field in ("epoch_tdb_jd", "a_au", "e", "i_deg", "node_deg", "peri_deg", "mean_anomaly_deg", "g_slope"):
            value = getattr(self, field)
            if not math.isfinite(value):
                raise RecordError(name, f"{field} is {value}: expected a finite number")
        low, high = EPOCH_JD_RANGE
        if not low < self.epoch_tdb_jd < high:
            raise RecordError(name, f"Epoch is {self.epoch_tdb_jd}: expected a Julian date (TDB) such as 2461000.5")
        if self.e < 0.0:
            raise RecordError(name, f"e is {self.e}: expected 0 or more")
        if self.e == 1.0:
            raise RecordError(name, "e is exactly 1: a parabola has no semi-major axis; expected e below or above 1")
        if (self.e < 1.0) != (self.a_au > 0.0):
            raise RecordError(
                name, f"e is {self.e} and a is {self.a_au} au: expected e < 1 with a > 0, or e > 1 with a < 0"
            )
        if not 0.0 <= self.i_deg <= 180.0:
            raise RecordError(name, f"i is {self.i_deg} deg: expected 0 to 180")

    def fingerprint(self) -> str:
        """The same for the same solution, whoever sends it again."""
        text = json.dumps(asdict(self), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class TargetRecord:
    """An object under all its designations, with the orbit that came with it."""

    number: str  # permanent number as digits, or empty
    provisional: tuple[str, ...]  # principal first
    name: str
    orbit: OrbitRecord
    orbit_class: str = ""
    is_neo: bool = False
    is_pha: bool = False

    @property
    def designation(self) -> str:
        """By which it is listed: its number, else its principal designation, else its name."""
        return self.number or (self.provisional[0] if self.provisional else self.name)
