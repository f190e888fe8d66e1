"""`manage.py explain`: what rules out a night, as rows."""

import csv
import datetime as dt
import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from observatories.services import add_closure

COLUMNS = ["name", "site", "night", "observable", "reason", "detail", "minutes", "orbit_trust"]
ELEMENTS = [
    "designation,name,epoch_jd,a,e,i,node,peri,M,H,G,A1,A2,A3",
    "433,Eros,2461200.5,1.4582437167602,0.22287796276207,10.82854410,304.26797134,178.91813191,62.5115,10.4,0.46,,,",
    "3200,Phaethon,2461200.5,1.271464620920411,0.88967228476922,22.31052728,265.09880605,322.16830017,301.48582630,"
    "14.38,0.15,,,",
]


@pytest.fixture
def elements(tmp_path: Path) -> Path:
    path = tmp_path / "elements.csv"
    path.write_text("\n".join(ELEMENTS))
    return path


def run(command: str, *options: str) -> str:
    out = io.StringIO()
    call_command(command, *options, stdout=out)
    return out.getvalue()


def explained(elements: Path, *options: str) -> list[dict[str, str]]:
    """Rows of the command for a night at Cerro Tololo and on La Palma."""
    usual = ["--elements", str(elements), "--site", "W84", "--site", "J04", "--night", "2026-11-22"]
    return list(csv.DictReader(io.StringIO(run("explain", *usual, *options))))


def test_rows(elements: Path) -> None:
    rows = explained(elements)
    assert list(rows[0]) == COLUMNS
    assert [(row["name"], row["site"]) for row in rows] == [
        ("433", "W84"),
        ("433", "J04"),
        ("3200", "W84"),
        ("3200", "J04"),
    ]
    assert {row["night"] for row in rows} == {"2026-11-22"}
    for row in rows[:2]:
        assert (row["observable"], row["reason"], row["minutes"]) == ("false", "altitude", "0.00")
        assert row["detail"].startswith("never above 20 deg (")
    for row in rows[2:]:
        assert (row["observable"], row["reason"], row["detail"]) == ("true", "", "")
        assert float(row["minutes"]) > 60.0


def test_json_tells_the_same(elements: Path) -> None:
    records = json.loads(
        run("explain", "--elements", str(elements), "--site", "W84", "--night", "2026-11-22", "--format", "json")
    )
    assert [record["observable"] for record in records] == [False, True]
    assert list(records[0]) == COLUMNS
    assert records[1]["minutes"] > 60.0


@pytest.mark.parametrize(
    ("options", "reason", "detail"),
    [
        (["--v-limit", "15"], "magnitude", "too faint by 1."),
        (["--moon-sep", "175"], "moon", "Moon "),
        (["--max-rate", "0.01"], "rate", "never slower than 0.01 arcsec/min"),
        (["--sun-alt", "-89"], "sun", "never dark (Sun at -"),
        (["--min-duration", "1000"], "duration", "shorter than the shortest useful window ("),
        (["--hour-angle", "-12", "-11"], "hour_angle", "hour angle never from -12 h to -11 h"),
    ],
)
def test_limits_are_those_of_the_command_windows(elements: Path, options: list[str], reason: str, detail: str) -> None:
    rows = [row for row in explained(elements, *options) if row["name"] == "3200"]
    for row in rows:
        assert (row["observable"], row["reason"]) == ("false", reason)
        assert row["detail"].startswith(detail)


def test_minutes_are_those_of_the_windows(elements: Path) -> None:
    asked = ["--elements", str(elements), "--site", "W84"]
    table = csv.DictReader(io.StringIO(run("windows", *asked, "--start", "2026-11-22", "--nights", "1")))
    seconds = sum(
        (dt.datetime.fromisoformat(row["end_utc"]) - dt.datetime.fromisoformat(row["start_utc"])).total_seconds()
        for row in table
    )
    row = next(r for r in explained(elements) if (r["name"], r["site"]) == ("3200", "W84"))
    assert float(row["minutes"]) == pytest.approx(seconds / 60.0, abs=0.01)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--night", "2026-02-30"], "--night '2026-02-30' is no date such as"),
        (["--night", "0001-01-01"], "expected a date of the years"),
        (["--night", "2060-01-01"], "outside the span of the planetary kernel"),
        (["--site", "500"], "no fixed place"),
        (["--min-alt", "95"], "min_alt_deg is 95"),
    ],
)
def test_bad_input_is_explained(elements: Path, options: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message) as refusal:
        explained(elements, *options)
    assert refusal.value.returncode == 2


@pytest.mark.django_db
def test_stored_telescopes_bring_their_closures_and_their_state(catalogue, network) -> None:
    telescope = network[0]
    night, day = "2026-11-22", dt.datetime(2026, 11, 22, tzinfo=dt.UTC)

    def rows() -> dict[str, dict[str, str]]:
        targets = [part for name in catalogue for part in ("--target", name)]
        text = run("explain", *targets, "--telescope", str(telescope.pk), "--night", night)
        return {row["name"]: row for row in csv.DictReader(io.StringIO(text))}

    before = rows()
    seen = {name for name, row in before.items() if row["observable"] == "true"}
    assert seen
    assert {row["site"] for row in before.values()} == {telescope.name}
    add_closure(telescope_id=telescope.pk, starts_at=day, ends_at=day + dt.timedelta(days=3), reason="mirror coating")
    closed = rows()
    for name, row in closed.items():
        assert row["observable"] == "false"
        assert row["detail"].endswith("closure: mirror coating")
        assert (row["reason"] == "closure") == (name in seen)
    some = next(iter(seen))
    asked = ["--target", some, "--telescope", str(telescope.pk), "--start", night, "--nights", "1"]
    assert len(run("windows", *asked).splitlines()) == 1
    telescope.state = "retired"
    telescope.save()
    assert rows()[some]["reason"] == "state"
    assert rows()[some]["detail"] == "the telescope is retired; closure: mirror coating"
