"""`ephemeris --uncertainty`: four more columns at the end."""

import csv
import datetime as dt
import io
from pathlib import Path

import pytest
from django.core.management import call_command

from targets.models import Orbit, Target

NIGHT = ("--site", "X05", "--site", "500", "--start", "2026-11-22", "--stop", "2026-11-22T06:00:00Z", "--step", "3h")
COLUMNS = ["unc_major_arcsec", "unc_minor_arcsec", "unc_pa_deg", "orbit_trust"]
FILE = "designation,epoch_jd,a,e,i,node,peri,M\nNear,{epoch},1.7,0.2,5,10,20,30\n"


def rows_of(*arguments: str) -> list[dict[str, str]]:
    stdout = io.StringIO()
    call_command("ephemeris", *arguments, stdout=stdout)
    return list(csv.DictReader(io.StringIO(stdout.getvalue())))


@pytest.mark.parametrize(("epoch", "trust"), [("2461360.5", "fair"), ("2459000.5", "poor")])
def test_a_file_of_elements_tells_nothing_of_their_accuracy(tmp_path: Path, epoch: str, trust: str) -> None:
    path = tmp_path / "elements.csv"
    path.write_text(FILE.format(epoch=epoch))
    plain = rows_of("--elements", str(path), *NIGHT)
    more = rows_of("--elements", str(path), *NIGHT, "--uncertainty")
    assert list(more[0]) == [*plain[0], *COLUMNS]
    assert [{name: row[name] for name in plain[0]} for row in more] == plain
    assert [[row[name] for name in COLUMNS] for row in more] == [["", "", "", trust]] * 6


@pytest.mark.django_db
def test_targets_of_the_catalogue_have_ellipses(catalogue: dict[str, Target]) -> None:
    Orbit.objects.filter(target=catalogue["Ivar"]).update(
        u_parameter="8", arc_days=4.0, last_observed_on=dt.date(2025, 12, 1)
    )
    rows = rows_of("--target", "Eros", "--target", "Ivar", *NIGHT, "--uncertainty")
    assert len(rows) == 12
    for row in rows:
        major, minor = float(row["unc_major_arcsec"]), float(row["unc_minor_arcsec"])
        assert 0.1 <= minor <= major
        assert 0.0 <= float(row["unc_pa_deg"]) <= 180.0
        assert row["orbit_trust"] == ("good" if row["name"] == "Eros" else "unusable")
        assert major < 1.0 if row["name"] == "Eros" else major > 60.0
