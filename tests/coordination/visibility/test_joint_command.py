"""`manage.py joint_windows`: the same answers for a script, and what bad input gets."""

import csv
import datetime as dt
import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from coordination.visibility.joint_windows import joint_windows_of, last_chances_of, relay_of
from observatories.models import Telescope
from targets.services.ephemerides import Span

PHAETHON = "2461200.5,1.271464620920411,0.88967228476922,22.31052728,265.09880605,322.16830017,301.48582630"
START = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
SPAN = Span(START, START + dt.timedelta(days=2))


@pytest.fixture
def elements(tmp_path: Path) -> Path:
    path = tmp_path / "elements.csv"
    path.write_text(f"designation,name,epoch_jd,a,e,i,node,peri,M,H,G\n3200,Phaethon,{PHAETHON},14.38,0.15\n")
    return path


def run(*options: object) -> list[dict[str, str]]:
    out = io.StringIO()
    call_command("joint_windows", *map(str, options), stdout=out)
    return list(csv.DictReader(io.StringIO(out.getvalue())))


def of_elements(elements: Path, *options: object) -> list[dict[str, str]]:
    usual = ["--elements", elements, "--start", "2026-11-22", "--nights", "2"]
    return run(*usual, *options)


def when(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def close(one: dt.datetime, other: str) -> bool:
    return abs(one - when(other)) <= dt.timedelta(milliseconds=1)


def test_rows_need_no_database(elements: Path) -> None:
    rows = of_elements(elements, "--sites", "W84,J04,K91,G96,954")
    assert {row["name"] for row in rows} == {"3200"}
    assert [row["at"] for row in rows] == ["start", "middle", "end"] * (len(rows) // 3)
    assert len(rows) > 6
    for row in rows:
        members = row["telescopes"].split()
        assert set(row["baseline"].split()) <= set(members)
        assert row["baseline"] not in ("J04 954", "954 J04")  # on one mountain
        assert int(row["sites"]) == len(set(members) - ({"954"} if "J04" in members else set())) >= 2
        assert when(row["start_utc"]) <= when(row["segment_start_utc"]) < when(row["segment_end_utc"])
        ratio = float(row["range_error_km"]) / float(row["distance_au"]) / 149597870.7
        assert ratio == pytest.approx(float(row["range_error_fraction"]), rel=1e-3)
        assert row["fits_fields"] == ""
    repeated = of_elements(
        elements, *(word for code in ["W84", "J04", "K91", "G96", "954"] for word in ("--site", code))
    )
    assert repeated == rows
    instants = ("--start", "2026-11-22T12:00Z", "--stop", "2026-11-24T14:00+02:00")
    assert run("--elements", elements, "--sites", "W84,J04,K91,G96,954", *instants) == rows


def test_more_sites_and_longer_windows_can_be_asked_for(elements: Path) -> None:
    sites = ("--sites", "W84,J04,K91,G96,954")
    alone = of_elements(elements, *sites, "--min-sites", 1)
    assert {row["sites"] for row in alone} == {"1", "2"}
    assert of_elements(elements, *sites, "--min-sites", 3) == []
    assert all(row["baseline_km"] == "" for row in alone if row["sites"] == "1")
    every, long = (of_elements(elements, *sites, "--least-minutes", least) for least in (0, 20))
    assert 0 < len(long) < len(every)


def test_the_uncertainty_fits_or_not(elements: Path) -> None:
    sites = ("--sites", "W84,G96", "--uncertainty", 100)
    for field, fits in ((9.9, "false"), (10.1, "true")):
        assert {row["fits_fields"] for row in of_elements(elements, *sites, "--field", field)} == {fits}


def test_a_relay_and_who_could_fill_its_gaps(elements: Path) -> None:
    options = ("--sites", "W84,G96", "--mode", "relay", "--rotation-period", 3.604)
    rows = of_elements(elements, *options, "--further", "J04,K91")
    assert {row["part"] for row in rows} == {"leg", "gap"}
    assert [row["start_utc"] for row in rows] == sorted(row["start_utc"] for row in rows)
    assert rows[0]["start_utc"] == "2026-11-22T12:00:00.000Z"
    assert rows[-1]["end_utc"] == "2026-11-24T12:00:00.000Z"
    gaps = [row for row in rows if row["part"] == "gap"]
    assert gaps[0]["fillers"].startswith("J04 ")
    assert "K91 " in gaps[0]["fillers"]
    legs = [row for row in rows if row["part"] == "leg"]
    assert {leg["telescope"] for leg in legs} == {"W84", "G96"}
    covered = sum(float(leg["minutes"]) for leg in legs) - 10.0 * sum(leg["handed_on"] == "true" for leg in legs)
    assert float(rows[0]["coverage_h"]) == pytest.approx(covered / 60.0, abs=1e-3)
    assert float(rows[0]["covered_fraction"]) == pytest.approx(covered / 2880.0, abs=1e-5)
    assert float(rows[0]["rotation_fraction"]) == 1.0


def test_json_tells_the_same(elements: Path) -> None:
    for mode in ("simultaneous", "relay", "last-chance"):
        options = ("--sites", "W84,J04,G96", "--mode", mode)
        rows, out = of_elements(elements, *options), io.StringIO()
        usual = ["--elements", str(elements), "--start", "2026-11-22", "--nights", "2", "--format", "json"]
        call_command("joint_windows", *usual, *options, stdout=out)
        records = json.loads(out.getvalue())
        assert [list(record) for record in records] == [list(row) for row in rows]
        assert rows


@pytest.mark.django_db
def test_stored_telescopes_and_targets_get_the_answers_of_the_service(catalogue, network) -> None:
    target, ids = catalogue["Ivar"], ",".join(str(telescope.pk) for telescope in network)
    options = ["--target", "1627", "--start", "2026-11-22", "--nights", "2"]
    options += [word for pk in ids.split(",") for word in ("--telescope", pk)]
    told = [segment for window in joint_windows_of(target, network, SPAN) for segment in window.segments]
    rows = run(*options)[1::3]
    assert len(rows) == len(told) > 3
    for row, segment in zip(rows, told, strict=True):
        assert close(segment.starts_at, row["segment_start_utc"])
        assert row["telescopes"] == " ".join(map(str, segment.telescope_ids))
        assert float(row["parallax_arcsec"]) == pytest.approx(segment.samples[1].parallax_arcsec, abs=1e-4)
    legs = relay_of(target, network, SPAN).legs
    rows = [row for row in run(*options, "--mode", "relay") if row["part"] == "leg"]
    assert [row["telescope"] for row in rows] == [str(leg.telescope_id) for leg in legs]
    assert all(close(leg.ends_at, row["end_utc"]) for leg, row in zip(legs, rows, strict=True))
    finals = last_chances_of(target, network, SPAN)
    rows = run(*options, "--mode", "last-chance")
    assert [(row["telescope"], row["night"]) for row in rows] == [(str(f.telescope_id), str(f.night)) for f in finals]


@pytest.mark.django_db
def test_telescopes_that_are_not_active_are_left_out_and_named(catalogue, network) -> None:
    network[0].state = Telescope.State.MAINTENANCE
    network[0].save()
    out, err = io.StringIO(), io.StringIO()
    options = ["--target", "Ivar", "--start", "2026-11-22", "--nights", "2", "--mode", "last-chance"]
    options += [word for telescope in network for word in ("--telescope", str(telescope.pk))]
    call_command("joint_windows", *options, stdout=out, stderr=err)
    assert f"telescope {network[0].pk} is not active" in err.getvalue()
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert [row["telescope"] for row in rows] == [str(telescope.pk) for telescope in network[1:]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sites", "W84,XXZ9"], "XXZ9"),
        (["--sites", "W84,250"], "no fixed place"),
        (["--sites", "W84", "--site", "J04"], "not allowed"),
        (["--sites", ","], "--sites"),
        (["--sites", "W84", "--min-sites", "0"], "--min-sites 0"),
        (["--sites", "W84", "--handover-minutes", "-1"], "--handover-minutes -1"),
        (["--sites", "W84", "--astrometric-error", "nan"], "--astrometric-error nan"),
        (["--sites", "W84", "--rotation-period", "0"], "--rotation-period 0"),
        (["--sites", "W84", "--further", "J04"], "--further goes with --mode relay"),
        (["--sites", "W84", "--min-alt", "95"], "min_alt_deg"),
        (["--sites", "W84", "--stop", "2026-11-23"], "not allowed"),
    ],
)
def test_bad_input_is_refused_by_name(elements: Path, options: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message) as refused:
        of_elements(elements, *options)
    assert refused.value.returncode in (1, 2)


@pytest.mark.parametrize("stop", ["2026-11-22T12:00Z", "2026-11-21T12:00Z", "2028-11-22T12:00Z", "soon"])
def test_a_span_must_have_a_length_that_can_be_computed(elements: Path, stop: str) -> None:
    with pytest.raises(CommandError, match=r"stop|soon"):
        run("--elements", elements, "--sites", "W84", "--start", "2026-11-22T12:00Z", "--stop", stop)
