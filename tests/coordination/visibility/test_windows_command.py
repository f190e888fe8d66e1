"""`manage.py windows`: rows for scripts, and what bad input gets. Without a database."""

import csv
import datetime as dt
import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

COLUMNS = [
    "name",
    "site",
    "start_utc",
    "end_utc",
    "opened_by",
    "closed_by",
    "max_alt_deg",
    "v_mag",
    "rate_arcsec_min",
    "moon_sep_deg",
    "orbit_trust",
]
PHAETHON = "2461200.5,1.271464620920411,0.88967228476922,22.31052728,265.09880605,322.16830017,301.48582630"
ELEMENTS = [
    "designation,name,epoch_jd,a,e,i,node,peri,M,H,G,A1,A2,A3",
    "433,Eros,2461200.5,1.4582437167602,0.22287796276207,10.82854410,304.26797134,178.91813191,62.5115,10.4,0.46,,,",
    f"3200,Phaethon,{PHAETHON},14.38,0.15,,,",
    f"no H,,{PHAETHON},,0.15,,,",
]


@pytest.fixture
def elements(tmp_path: Path) -> Path:
    path = tmp_path / "elements.csv"
    path.write_text("\n".join(ELEMENTS))
    return path


def run(elements: Path, *options: str) -> tuple[str, str]:
    """Standard output and standard error of the command for some nights at Cerro Tololo."""
    out, err = io.StringIO(), io.StringIO()
    usual = ["--elements", str(elements), "--site", "W84", "--start", "2026-11-22", "--nights", "3"]
    call_command("windows", *usual, *options, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def when(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def test_rows(elements: Path) -> None:
    out, err = run(elements, "--min-alt", "15")
    assert out.splitlines()[0].split(",") == COLUMNS
    table = rows(out)
    assert {row["name"] for row in table} == {"3200"}
    assert len(table) == 3
    for row in table:
        assert when(row["start_utc"]) < when(row["end_utc"])
        assert (row["site"], row["opened_by"], row["closed_by"]) == ("W84", "sun", "altitude")
        assert 15.0 < float(row["max_alt_deg"]) < 90.0
        assert 16.0 < float(row["v_mag"]) < 18.0
    assert "no H: H is not known" in err


def test_json_tells_the_same(elements: Path) -> None:
    table, records = rows(run(elements)[0]), json.loads(run(elements, "--format", "json")[0])
    assert [list(record) for record in records] == [COLUMNS] * len(table)
    assert [record["start_utc"] for record in records] == [row["start_utc"] for row in table]
    assert records[0]["max_alt_deg"] == pytest.approx(float(table[0]["max_alt_deg"]))


def test_the_span_is_noon_to_noon_and_cuts(elements: Path) -> None:
    out, _ = run(elements, "--sun-alt", "90", "--min-alt", "-90", "--moon-sep", "0")
    for row in rows(out):
        assert (row["start_utc"], row["end_utc"]) == ("2026-11-22T12:00:00.000Z", "2026-11-25T12:00:00.000Z")
        assert (row["opened_by"], row["closed_by"]) == ("span", "span")


def test_limits_shorten_windows(elements: Path) -> None:
    def seconds(*options: str) -> float:
        return sum(
            (when(row["end_utc"]) - when(row["start_utc"])).total_seconds() for row in rows(run(elements, *options)[0])
        )

    plain = seconds()
    assert plain > 0.0
    for tighter in (
        ["--min-alt", "25"],
        ["--v-limit", "16.85"],
        ["--moon-sep", "70"],
        ["--max-rate", "1.46"],
        ["--hour-angle", "-6", "3"],
        ["--max-alt", "25"],
        ["--min-duration", "70"],
    ):
        assert seconds(*tighter) < plain, tighter
    assert seconds("--refraction") > plain


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--site", "XQZ"], "XQZ"),
        (["--site", "500"], "no fixed place"),
        (["--start", "2026-02-30"], "no date such as"),
        (["--nights", "0"], "expected 1 to 400"),
        (["--start", "2060-01-01"], "outside the span of the planetary kernel"),
        (["--min-alt", "95"], "min_alt_deg is 95"),
        (["--max-alt", "10"], "more than min_alt_deg, 20"),
        (["--hour-angle", "4", "-4"], "the first before the last"),
        (["--v-limit", "nan"], "v_limit_mag is nan"),
        (["--elements", "/no/such/file.csv"], "No such file"),
    ],
)
def test_bad_input_is_explained(elements: Path, options: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message) as refusal:
        run(elements, *options)
    assert refusal.value.returncode == 2


def test_nothing_is_a_header(elements: Path) -> None:
    assert run(elements, "--min-alt", "89")[0].strip() == ",".join(COLUMNS)


def test_stored_telescopes_bring_their_limits(catalogue, network) -> None:
    telescope = network[0]

    def hours(*options: str) -> float:
        out = io.StringIO()
        usual = ["--target", "Ganymed", "--start", "2026-11-22", "--nights", "5", "--telescope", str(telescope.pk)]
        call_command("windows", *usual, *options, stdout=out)
        table = rows(out.getvalue())
        assert {row["site"] for row in table} <= {telescope.name}
        return sum((when(row["end_utc"]) - when(row["start_utc"])).total_seconds() for row in table) / 3600.0

    plain = hours()
    telescope.altitude_min_deg += 15.0
    telescope.save()
    assert hours() < plain
    telescope.altitude_min_deg -= 15.0
    telescope.save()
    assert hours("--v-limit", "5") == 0.0
    with pytest.raises(CommandError, match="no telescope 999999") as refusal:
        hours("--telescope", "999999")
    assert refusal.value.returncode == 2
