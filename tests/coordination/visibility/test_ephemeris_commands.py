"""The commands `ephemeris` and `close_approaches` with --elements: no database is at hand in these tests."""

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

ROOT = Path(__file__).resolve().parents[3]
HEADER = "designation,name,epoch_jd,a,e,i,node,peri,M,H,G,A1,A2,A3\n"
APOPHIS = (
    "99942,Apophis,2461200.5,0.92235922069288,0.1911492278906245,3.340996879807268,203.8936513092117,126.6795707340036,"
    "175.3304027311879,19.09,0.24,4.999999873689e-13,-2.901766720242e-14,0\n"
)
FAINT = "2026 XX,,2461000.5,1.7,0.2,5,10,20,30,,,,,\n"
COLUMNS = [
    "name", "site", "utc", "ra_deg", "dec_deg", "ra_apparent_deg", "dec_apparent_deg", "az_deg", "alt_deg", "airmass",
    "delta_au", "r_au", "phase_deg", "elong_deg", "v_mag", "rate_arcsec_min", "pa_deg", "sun_alt_deg", "moon_sep_deg",
    "v_sigma_mag", "orbit_trust",
]  # fmt: skip


@pytest.fixture
def elements(tmp_path: Path) -> str:
    path = tmp_path / "elements.csv"
    path.write_text(HEADER + APOPHIS + FAINT)
    return str(path)


def output(*arguments: str) -> str:
    stdout = io.StringIO()
    call_command(*arguments, stdout=stdout)
    return stdout.getvalue()


def refusal(*arguments: str) -> str:
    stdout = io.StringIO()
    with pytest.raises(CommandError) as refused:
        call_command(*arguments, stdout=stdout)
    assert refused.value.returncode == 2
    assert stdout.getvalue() == ""
    return str(refused.value)


NIGHT = ("--start", "2026-11-22", "--stop", "2026-11-22T06:00:00Z", "--step", "3h")


def test_rows_come_by_target_site_and_time_in_the_promised_columns(elements: str) -> None:
    text = output("ephemeris", "--elements", elements, "--site", "X05", "--site", "500", *NIGHT)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == COLUMNS
    assert [(row["name"], row["site"], row["utc"]) for row in rows[:4]] == [
        ("99942", "X05", "2026-11-22T00:00:00.000Z"),
        ("99942", "X05", "2026-11-22T03:00:00.000Z"),
        ("99942", "X05", "2026-11-22T06:00:00.000Z"),
        ("99942", "500", "2026-11-22T00:00:00.000Z"),
    ]
    assert len(rows) == 12
    empty = {field for field, value in rows[3].items() if value == ""}
    assert empty == {"az_deg", "alt_deg", "airmass", "sun_alt_deg", "v_sigma_mag"}  # no sigma of H is given
    assert rows[6]["v_mag"] == ""  # H is not given
    assert float(rows[0]["ra_deg"]) == pytest.approx(277.348459, abs=1e-5)


def test_times_come_from_a_file_and_offsets_are_honoured(elements: str, tmp_path: Path) -> None:
    times = tmp_path / "times.txt"
    times.write_text("2026-11-22T03:04:05.678Z\n\n2026-11-22T05:00:00+02:00\n2026-11-22T04:00\n")
    text = output("ephemeris", "--elements", elements, "--site", "i41", "--times", str(times), "--format", "json")
    rows = json.loads(text)
    assert [row["utc"] for row in rows[:3]] == [
        "2026-11-22T03:04:05.678Z",
        "2026-11-22T03:00:00.000Z",
        "2026-11-22T04:00:00.000Z",
    ]
    assert list(rows[0]) == COLUMNS
    assert rows[0]["site"] == "I41"
    assert rows[3]["v_mag"] is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--site", "X0?", *NIGHT), "unknown observatory code 'X0\\?'"),
        (("--site", "X055", *NIGHT), "near are .*X05"),
        (("--site", "250", *NIGHT), "250 .*Hubble.* has no fixed place"),
        (("--site", "X05", "--start", "2026-11-23", "--stop", "2026-11-22", "--step", "1h"), "is before --start"),
        (
            ("--site", "X05", "--start", "today", "--stop", "2026-11-22", "--step", "1h"),
            "'today' is no ISO 8601 instant",
        ),
        (("--site", "X05", "--start", "2026-11-22", "--stop", "2026-11-23", "--step", "0h"), "--step '0h': expected"),
        (("--site", "X05", "--start", "2026-11-22", "--stop", "2026-11-23", "--step", "1 hour"), "--step '1 hour'"),
        (("--site", "X05", "--start", "2020-11-22", "--stop", "2040-11-23", "--step", "1s"), "longer --step"),
        (("--site", "X05", "--start", "2026-11-22"), "--stop, --step missing"),
        (
            ("--site", "500", "--start", "2051-01-01", "--stop", "2051-01-02", "--step", "1d"),
            "1989-12-19 to 2050-01-14",
        ),
        (
            ("--site", "X05", "--start", "2049-01-01", "--stop", "2049-01-02", "--step", "1d"),
            "Earth's rotation is known",
        ),
        (("--site", "X05", "--times", "absent.txt"), "absent.txt: No such file"),
        (("--site", "X05", "--times", "absent.txt", "--step", "1h"), "--times and --step exclude each other"),
    ],
)
def test_bad_arguments_are_refused_with_the_way_out(elements: str, arguments: tuple[str, ...], says: str) -> None:
    assert re.search(says, refusal("ephemeris", "--elements", elements, *arguments))


def test_bad_elements_and_times_are_refused_by_name(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(HEADER + APOPHIS + FAINT.replace(",0.2,", ",1.2,"))
    message = refusal("ephemeris", "--elements", str(wrong), "--site", "X05", *NIGHT)
    assert message == "2026 XX: e is 1.2: expected e < 1 with a > 0 (else a < 0, or q and tp instead of a and M)"
    times = tmp_path / "times.txt"
    times.write_text("2026-11-22T03:04:05Z\n2026-11-22T23:59:61Z\n")
    wrong.write_text(HEADER + APOPHIS)
    message = refusal("ephemeris", "--elements", str(wrong), "--site", "X05", "--times", str(times))
    assert "times.txt, line 2: '2026-11-22T23:59:61Z' is no ISO 8601 instant" in message


def test_the_process_ends_with_code_2_and_a_clean_standard_output(tmp_path: Path) -> None:
    path = tmp_path / "elements.csv"
    path.write_text(HEADER.replace(",peri", "") + FAINT)
    command = [sys.executable, "manage.py", "ephemeris", "--elements", str(path), "--site", "X05", *NIGHT]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "lacks the column peri" in ended.stderr


def test_close_approaches_give_tdb_distance_and_speed(elements: str) -> None:
    span = ("--start", "2029-04-01", "--stop", "2029-05-01")
    (row,) = csv.DictReader(io.StringIO(output("close_approaches", "--elements", elements, *span)))
    assert list(row) == ["name", "tdb", "tdb_jd", "distance_au", "v_rel_km_s"]
    assert (row["name"], row["tdb"][:16]) == ("99942", "2029-04-13T21:46")
    assert float(row["distance_au"]) == pytest.approx(0.0002541, abs=2e-8)
    assert float(row["v_rel_km_s"]) == pytest.approx(7.42, abs=0.01)
    none = output("close_approaches", "--elements", elements, *span, "--within-au", "0.0001", "--format", "json")
    assert json.loads(none) == []


def test_close_approaches_refuse_what_cannot_be(elements: str) -> None:
    assert "is before --start" in refusal(
        "close_approaches", "--elements", elements, "--start", "2029-04-01", "--stop", "2028-04-01"
    )
    assert "expected a finite distance above 0" in refusal(
        *("close_approaches", "--elements", elements, "--start", "2029-04-01", "--stop", "2029-05-01"),
        *("--within-au", "inf"),
    )
    assert "1989-12-19 to 2050-01-14" in refusal(
        "close_approaches", "--elements", elements, "--start", "2029-04-01", "--stop", "2099-04-01"
    )
