"""What the simulated providers know: small, hand-written, synthetic. Edit it while the simulator runs."""

import dataclasses
import datetime as dt
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Body:
    """One object: solution `solution_id` of `solved_at` (text, Pacific time) with elements at `epoch_tdb_jd`."""

    des: str
    name: str = ""
    provisional: str = ""
    h_mag: float = 20.0
    epoch_tdb_jd: float = 2461400.5
    e: float = 0.3
    q_au: float = 0.9
    i_deg: float = 5.0
    node_deg: float = 40.0
    peri_deg: float = 70.0
    tp_tdb_jd: float = 2461300.25
    solution_id: str = "12"
    solved_at: str = "2026-11-20 08:15:30"
    last_obs: str = "2026-11-18"
    n_obs: int = 240
    condition_code: str = "1"
    moid_au: float = 0.02
    has_covariance: bool = True
    a2_au_d2: float | None = None
    horizons_late_s: float = 0.0  # by which it is behind on its orbit, according to Horizons
    horizons_sigma_arcsec: float = 0.18
    impact_probability: float | None = None  # on the risk list where there is one
    removed: str = ""  # from the risk list, when
    approaches: list[dict[str, str]] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        if self.des.isdigit():
            return f"{self.des} {self.name} ({self.provisional})".replace("  ", " ")
        return f"({self.des})"

    @property
    def a_au(self) -> float:
        return self.q_au / (1.0 - self.e)

    @property
    def n_deg_d(self) -> float:
        return 0.9856076686 / float(self.a_au) ** 1.5

    @property
    def ma_deg(self) -> float:
        return (self.n_deg_d * (self.epoch_tdb_jd - self.tp_tdb_jd)) % 360.0


@dataclass
class Candidate:
    """An object of the confirmation page; `designation` once it has one."""

    tdes: str
    score: int = 100
    rating: int | None = 1
    n_obs: int = 6
    arc_hours: float = 2.4
    h_mag: float = 24.1
    ra_h: float = 3.25
    dec_deg: float = 12.5
    v_mag: float = 20.3
    discovered: str = "2026 11 23.4"
    note: str = "Added Nov. 23.81 UT"
    last_run: str = "2026-11-24 10:05"
    designation: str = ""


@dataclass
class State:
    bodies: dict[str, Body] = field(default_factory=dict)
    candidates: dict[str, Candidate] = field(default_factory=dict)
    aliases: dict[str, list[str]] = field(default_factory=dict)  # a text that several objects share
    codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    measured_days_more: int = 0  # of the Earth's rotation, than the installed table has
    generated_at: str = "2026-11-24T09:00:00Z"

    @classmethod
    def small(cls) -> "State":
        """A number, a provisional designation with a risk, two candidates, an ambiguous name, three codes."""
        approach = {
            "jd": "2461480.604166667", "cd": "2027-Mar-15 02:30", "dist": ".0212", "dist_min": ".0211",
            "dist_max": ".0213", "v_rel": "9.41", "v_inf": "9.38", "t_sigma_f": "00:02",
        }  # fmt: skip
        bodies = [
            Body("990001", "Synthetica", "2030 AA", 19.2, a2_au_d2=-2.5e-14, approaches=[approach]),
            Body("2030 BB1", h_mag=26.3, tp_tdb_jd=2461321.75, impact_probability=3.1e-5, condition_code="6"),
            Body("2030 CC2", h_mag=22.0, e=0.55, removed="2026-11-22 03:10:00"),
        ]
        candidates = [Candidate("SYN0001"), Candidate("SYN0002", score=87, rating=None, dec_deg=-33.0)]
        codes = {
            "Z90": _code("Z90", "Synthetic Ridge", "17.50000", "0.84560", "0.53223"),
            "Z91": _code("Z91", "Synthetic Plain", "289.26000", "0.86560", "-0.49980"),
            "Z92": _code("Z92", "Synthetic Spacecraft", None, None, None),
        }
        return cls(
            {body.des: body for body in bodies},
            {each.tdes: each for each in candidates},
            {"Twin": ["990001", "2030 BB1"]},
            codes,
        )

    @classmethod
    def with_bodies(cls, count: int) -> "State":
        """So many different objects, 2030 DA to 2030 D..., each with a covariance."""
        state = cls.small()
        for k in range(count):
            letter, cycle = "ABCDEFGHJKLMNOPQRSTUVWXYZ"[k % 25], k // 25
            des = f"2030 D{letter}{cycle or ''}"
            state.bodies[des] = Body(
                des,
                h_mag=16.0 + (k % 80) / 10.0,
                e=0.1 + (k % 60) / 100.0,
                q_au=0.6 + (k % 65) / 100.0,
                i_deg=1.0 + k % 35,
                node_deg=(k * 37) % 360 + 0.5,
                peri_deg=(k * 91) % 360 + 0.25,
                tp_tdb_jd=2461100.0 + (k * 13) % 400,
            )
        return state

    def edit(self, changes: dict[str, Any]) -> None:
        """Set fields by path, such as {"bodies.2030 BB1.solution_id": "13"}; null takes an entry away."""
        for path, value in changes.items():
            *parents, last = path.split(".")
            place: Any = self
            for parent in parents:
                place = place[parent] if isinstance(place, dict) else getattr(place, parent)
            if not isinstance(place, dict):
                setattr(place, last, value)
            elif value is None:
                place.pop(last, None)
            elif place is self.bodies:
                place[last] = Body(**value)
            elif place is self.candidates:
                place[last] = Candidate(**value)
            else:
                place[last] = value

    def as_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def _code(code: str, name: str, longitude: str | None, cos: str | None, sin: str | None) -> dict[str, Any]:
    return {
        "obscode": code,
        "name": name,
        "name_utf8": name,
        "short_name": name,
        "longitude": longitude,
        "rhocosphi": cos,
        "rhosinphi": sin,
        "observations_type": "optical" if longitude else "satellite",
        "created_at": "Sun, 22 Nov 2026 00:00:00 GMT",
        "updated_at": f"{dt.date(2026, 11, 22)}",
    }
