"""A small real catalogue and network: asteroids seen in any season, telescopes around the world."""

import datetime as dt

import pytest
import time_machine

from coordination.visibility import planning
from coordination.visibility.models import Chunk
from observatories.models import Observatory, Organisation, Telescope
from observatories.services import import_observatories
from observatories.sources import obscodes
from targets.models import Target
from targets.services import import_file
from targets.sources.files import CatalogueFile
from targets.sources.mpc.parse import parse_record

WELL_PLACED = dt.datetime(2027, 2, 1, 12, tzinfo=dt.UTC)
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


# Minor Planet Center, February 2026: number, name, principal designation, H, M, peri, node, i, e, a.
RECORDS = [
    mpc_record(*row[:3], **dict(zip(("H", "M", "Peri", "Node", "i", "e", "a"), row[3:], strict=True)))
    for row in (
        (433, "Eros", "A898 PA", 10.38, 310.55432, 178.92976, 304.2701, 10.82847, 0.222836, 1.458121),
        (1036, "Ganymed", "A924 UB", 9.17, 97.59385, 132.50313, 215.44119, 26.68074, 0.5332133, 2.6649688),
        (1627, "Ivar", "1929 SH", 12.79, 311.46101, 167.83956, 133.07466, 8.45629, 0.3973229, 1.8630581),
        (1866, "Sisyphus", "1972 XA", 12.48, 140.66425, 293.09863, 63.44669, 41.20632, 0.5381207, 1.8933719),
        (887, "Alinda", "A918 AA", 13.82, 81.54059, 350.5345, 110.40588, 9.40006, 0.57117, 2.4736288),
        (3122, "Florence", "1981 ET3", 14.08, 168.25753, 27.88474, 336.04036, 22.14277, 0.4232385, 1.7688777),
    )
]


@pytest.fixture
def well_placed():
    """An evening on which the targets of this catalogue are well placed and far from the Moon; time goes on from it."""
    with time_machine.travel(WELL_PLACED, tick=True):
        yield


@pytest.fixture
def catalogue(db):
    """The targets, by name."""
    import_file(CatalogueFile("mpc", [lambda raw=raw: parse_record(raw) for raw in RECORDS]))
    return {target.name: target for target in Target.objects.all()}


@pytest.fixture
def network(db):
    """A one-metre telescope at each of five observatories on five continents."""
    codes, _ = obscodes.read_codes()
    import_observatories([code for code in codes if code.code in (*CODES, "250")])
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


@pytest.fixture
def windows(well_placed, catalogue, network, settings, monkeypatch):
    """The windows of the network and the catalogue over two nights; gives the targets, by name."""
    settings.PLANNING_HORIZON_NIGHTS = 2
    monkeypatch.setattr("coordination.visibility.tasks.compute_chunk.delay", lambda pk: None)
    planning.plan()
    for chunk_id in Chunk.objects.values_list("pk", flat=True):
        planning.run_chunk(chunk_id)
    return catalogue
