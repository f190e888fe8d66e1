"""A small real catalogue and network: asteroids that can be seen in any season, telescopes around the world."""

import pytest

from observatories.models import Observatory, Organisation, Telescope
from observatories.services import import_observatories
from observatories.sources import obscodes
from targets.models import Target
from targets.services import import_file
from targets.sources.files import CatalogueFile
from targets.sources.mpc.parse import parse_record

CODES = ("W84", "J04", "Q63", "327", "G96")


def mpc_record(number, name, provisional, **elements):
    return {
        "Number": f"({number})",
        "Name": name,
        "Principal_desig": provisional,
        "Epoch": 2461000.5,
        "G": 0.15,
        "U": "0",
        "Arc_years": "1950-2026",
        "Last_obs": "2026-02-10",
        "Num_obs": 1000,
        "Orbit_type": "Amor",
        "NEO_flag": 1,
        **elements,
    }


# Minor Planet Center, February 2026.
RECORDS = [
    mpc_record(433, "Eros", "A898 PA", H=10.38, M=310.55432, Peri=178.92976, Node=304.2701, i=10.82847, e=0.222836, a=1.458121),
    mpc_record(1036, "Ganymed", "A924 UB", H=9.17, M=94.0486, Peri=132.5019, Node=215.4373, i=26.6820, e=0.5330869, a=2.6659406),
    mpc_record(1627, "Ivar", "1929 SH", H=12.7, M=268.27, Peri=167.81, Node=133.09, i=8.449, e=0.39691, a=1.86293),
    mpc_record(1866, "Sisyphus", "1972 XA", H=12.5, M=128.5, Peri=293.1, Node=63.5, i=41.2, e=0.538, a=1.8937),
    mpc_record(887, "Alinda", "A918 AA", H=13.8, M=70.9, Peri=350.5, Node=110.4, i=9.39, e=0.5703, a=2.4738),
    mpc_record(3122, "Florence", "1981 ET3", H=14.1, M=200.0, Peri=27.9, Node=336.1, i=22.15, e=0.4231, a=1.7691),
]  # fmt: skip


@pytest.fixture
def catalogue(db):
    """The targets, by name."""
    import_file(CatalogueFile("mpc", [lambda raw=raw: parse_record(raw) for raw in RECORDS]))
    return {target.name: target for target in Target.objects.all()}


@pytest.fixture
def network(db):
    """A one-metre telescope at each of five observatories on five continents."""
    codes, _ = obscodes.read_codes()
    import_observatories([code for code in codes if code.code in CODES])
    organisation = Organisation.objects.create(name="Network", slug="network")
    return [
        Telescope.objects.create(
            observatory=Observatory.objects.get(mpc_code=code),
            organisation=organisation,
            name=f"1 m at {code}",
            aperture_m=1.0,
            field_width_deg=0.5,
            field_height_deg=0.5,
            limiting_v_mag=21.0,
        )
        for code in CODES
    ]
