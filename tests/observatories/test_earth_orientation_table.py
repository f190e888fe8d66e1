"""The table of the Earth's rotation is replaced while the service runs, by one that knows more and agrees with it."""

import datetime as dt
from dataclasses import replace

import astropy_iers_data
import numpy as np
import pytest

from coordination.common.models import Event
from observatories.models import EarthOrientationTable
from observatories.services import adopt_earth_orientation, store_earth_orientation, versions_alike
from observatories.sites import earth_orientation
from observatories.sites.earth_orientation import EarthOrientation, EarthOrientationError

pytestmark = pytest.mark.django_db

KEPT_LINES = 6000  # of the newest: sixteen years, quicker to read than all


@pytest.fixture(autouse=True)
def installed():
    yield earth_orientation.use(None)
    earth_orientation.use(None)


@pytest.fixture(scope="module")
def lines() -> list[str]:
    with open(astropy_iers_data.IERS_A_FILE, encoding="ascii") as file:
        return [line for line in file.read().splitlines() if line[18:27].strip()][-KEPT_LINES:]


def content(lines: list[str], measured_days_more: int = 0) -> bytes:
    """The file, with so many of its predictions marked as measured."""
    marked = list(lines)
    first = next((k for k, line in enumerate(lines) if line[16] == "P"), len(lines))
    for k in range(first, first + measured_days_more):
        marked[k] = marked[k][:16] + "I" + marked[k][17:57] + "I" + marked[k][58:]
    return ("\n".join(marked) + "\n").encode()


def test_a_newer_table_is_stored_told_and_used_from_then_on(lines):
    before = adopt_earth_orientation()
    assert store_earth_orientation(content(lines, measured_days_more=7))
    stored = EarthOrientationTable.objects.get()
    assert stored.predicted_until > stored.measured_until
    assert Event.objects.get().kind == "earth_orientation.updated"
    assert earth_orientation.version_in_use() == before  # not in the middle of something
    assert adopt_earth_orientation() == stored.version == EarthOrientation.from_astropy().version
    assert not store_earth_orientation(content(lines, measured_days_more=7))


def test_a_table_that_knows_no_more_than_the_installed_one_is_not_stored(lines):
    assert not store_earth_orientation(content(lines))
    assert not EarthOrientationTable.objects.exists()


def test_a_table_that_goes_back_in_time_is_refused(lines):
    store_earth_orientation(content(lines, measured_days_more=7))
    with pytest.raises(EarthOrientationError, match="measured until"):
        store_earth_orientation(content(lines, measured_days_more=3))
    assert EarthOrientationTable.objects.count() == 1


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(lambda lines: b"<html>Back soon.</html>", id="a page"),
        pytest.param(lambda lines: b"", id="nothing"),
        pytest.param(lambda lines: content(lines[:2000]), id="the beginning only"),
        pytest.param(lambda lines: content(lines[-300:]), id="the end only"),
        pytest.param(lambda lines: content([_shifted(line) for line in lines], 7), id="other values of UT1"),
    ],
)
def test_what_is_no_such_table_is_refused(lines, broken):
    with pytest.raises(EarthOrientationError):
        store_earth_orientation(broken(lines))
    assert not EarthOrientationTable.objects.exists()


def _shifted(line: str) -> str:
    ut1_utc_s = float(line[58:68])
    return f"{line[:58]}{ut1_utc_s + 0.05:10.7f}{line[68:154]}{' ' * 34}"


def test_a_stored_table_that_cannot_be_read_leaves_the_one_in_use():
    before = earth_orientation.version_in_use()
    EarthOrientationTable.objects.create(
        version="broken",
        measured_until=dt.date(2099, 1, 1),
        predicted_until=dt.date(2099, 1, 1),
        content=b"no zlib",
    )
    assert adopt_earth_orientation() == before


def test_the_administration_shows_which_tables_there_are(admin_client, lines):
    store_earth_orientation(content(lines, measured_days_more=7))
    stored = EarthOrientationTable.objects.get()
    for page in ("", f"{stored.pk}/change/"):
        answer = admin_client.get(f"/admin/observatories/earthorientationtable/{page}")
        assert answer.status_code == 200
        assert stored.version in answer.content.decode()


def test_tables_that_turn_the_earth_alike_are_told_by_their_versions(lines):
    """One that knows a week more, and the installed one; not one that is off by more than an edge may be."""
    installed = adopt_earth_orientation()
    store_earth_orientation(content(lines, measured_days_more=7))
    newest = adopt_earth_orientation()
    table = EarthOrientation.from_astropy()
    at = table.measured_until_tt_mjd
    assert versions_alike(at, at + 20.0) == [newest, installed]
    earth_orientation.use(replace(table, ut1_minus_tt_s=table.ut1_minus_tt_s + 0.02, version="off"))
    assert versions_alike(at, at + 20.0) == ["off"]


def test_the_way_of_the_pole_counts_as_seconds_of_rotation():
    table = EarthOrientation.from_astropy()
    moved = replace(table, polar_motion_rad=table.polar_motion_rad + np.radians([3.0 / 3600.0, 4.0 / 3600.0]))
    at = table.measured_until_tt_mjd
    assert earth_orientation.apart_s(table, table, at, at + 10.5) == 0.0
    assert earth_orientation.apart_s(table, moved, at, at + 10.5) == pytest.approx(5.0 / 15.041, rel=1e-3)
