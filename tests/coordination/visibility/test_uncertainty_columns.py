"""`ephemeris`: how far an orbit can be trusted, and with `--uncertainty` how uncertain its places are."""

import csv
import datetime as dt
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from targets.models import Orbit, Target

NIGHT = ("--site", "X05", "--site", "500", "--start", "2026-11-22", "--stop", "2026-11-22T06:00:00Z", "--step", "3h")
COLUMNS = ["unc_major_arcsec", "unc_minor_arcsec", "unc_pa_deg"]
FILE = "designation,epoch_jd,a,e,i,node,peri,M\nNear,{epoch},1.7,0.2,5,10,20,30\n"


def rows_of(*arguments: str, command: str = "ephemeris", **options: Any) -> list[dict[str, str]]:
    stdout = io.StringIO()
    call_command(command, *arguments, stdout=stdout, **options)
    return list(csv.DictReader(io.StringIO(stdout.getvalue())))


def spoil(target: Target, **quality: Any) -> None:
    """Leave a target with an orbit of a short arc that was last observed a year before."""
    Orbit.objects.filter(target=target).update(last_observed_on=dt.date(2025, 12, 1), **quality)


@pytest.mark.parametrize(("epoch", "trust"), [("2461360.5", "fair"), ("2459000.5", "poor")])
def test_a_file_of_elements_tells_nothing_of_their_accuracy(tmp_path: Path, epoch: str, trust: str) -> None:
    path = tmp_path / "elements.csv"
    path.write_text(FILE.format(epoch=epoch))
    plain = rows_of("--elements", str(path), *NIGHT)
    more = rows_of("--elements", str(path), *NIGHT, "--uncertainty")
    assert list(more[0]) == [*list(plain[0])[:-1], *COLUMNS, "orbit_trust"]
    assert [{name: row[name] for name in plain[0]} for row in more] == plain
    assert [[row[name] for name in COLUMNS] for row in more] == [["", "", ""]] * 6
    assert {row["orbit_trust"] for row in more} == {trust}


@pytest.mark.django_db
def test_targets_of_the_catalogue_have_ellipses(catalogue: dict[str, Target]) -> None:
    spoil(catalogue["Ivar"], u_parameter="7", arc_days=150.0)
    rows = rows_of("--target", "Eros", "--target", "Ivar", *NIGHT, "--uncertainty")
    assert len(rows) == 12
    for row in rows:
        major, minor = float(row["unc_major_arcsec"]), float(row["unc_minor_arcsec"])
        assert 0.1 <= minor <= major
        assert 0.0 <= float(row["unc_pa_deg"]) <= 180.0
        assert row["orbit_trust"] == ("good" if row["name"] == "Eros" else "poor")
        assert major < 1.0 if row["name"] == "Eros" else major > 60.0


@pytest.mark.django_db
@pytest.mark.parametrize(
    "command",
    [
        ("ephemeris", *NIGHT),
        ("windows", "--site", "X05", "--start", "2026-11-22", "--nights", "2"),
        ("explain", "--site", "X05", "--night", "2026-11-22"),
    ],
)
def test_an_unusable_orbit_is_refused_with_its_reason(catalogue: dict[str, Target], command: tuple[str, ...]) -> None:
    spoil(catalogue["Ivar"], u_parameter="8", arc_days=4.0)
    if command[0] == "explain":
        rows = rows_of("--target", "Ivar", *command[1:], command="explain")
        assert [(row["observable"], row["reason"], row["orbit_trust"]) for row in rows] == [
            ("false", "orbit", "unusable")
        ]
        assert rows[0]["detail"].startswith("orbit unusable on 2026-11-23: 1-sigma on the sky is ")
        return
    with pytest.raises(
        CommandError, match=r"Ivar: orbit unusable on 2026-11-2[23]: 1-sigma on the sky is .* deg"
    ) as no:
        rows_of("--target", "Ivar", *command[1:], command=command[0])
    assert no.value.returncode == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "command", [("ephemeris", *NIGHT), ("windows", "--site", "X05", "--start", "2026-11-22", "--nights", "2")]
)
def test_of_several_targets_the_unusable_are_left_out_aloud(
    catalogue: dict[str, Target], command: tuple[str, ...]
) -> None:
    spoil(catalogue["Ivar"], u_parameter="8", arc_days=4.0)
    stderr = io.StringIO()
    rows = rows_of("--target", "Ivar", "--target", "Ganymed", *command[1:], command=command[0], stderr=stderr)
    assert {row["name"] for row in rows} <= {"Ganymed"}
    assert "Ivar: orbit unusable on 2026-11-2" in stderr.getvalue()
