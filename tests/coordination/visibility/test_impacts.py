"""Nothing is to be seen of what has hit the Earth: windows end there, ephemerides are refused after it."""

import csv
import datetime as dt
import io

import pytest
from django.core.management import CommandError, call_command

ELEMENTS = "designation,epoch_jd,a,e,i,node,peri,M,H\n"
# 2023 CX1 of the shipped catalogue (MPC): over the Channel on 13 February 2023 at 02:59 UTC.


@pytest.fixture(scope="module")
def elements(tmp_path_factory) -> str:
    import gzip
    import json
    from pathlib import Path

    packed = Path(__file__).parents[3] / "targets" / "data" / "mpc_nea_extended_2026-02.json.gz"
    records = json.loads(gzip.decompress(packed.read_bytes()))
    record = next(each for each in records if each["Principal_desig"] == "2023 CX1")
    row = [record[field] for field in ("Principal_desig", "Epoch", "a", "e", "i", "Node", "Peri", "M")]
    path = tmp_path_factory.mktemp("impact") / "cx1.csv"
    path.write_text(ELEMENTS + ",".join(map(str, row)) + ",20\n")
    return str(path)


def rows_of(command: str, *arguments: str) -> tuple[list[dict[str, str]], str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    call_command(command, *arguments, stdout=stdout, stderr=stderr)
    return list(csv.DictReader(io.StringIO(stdout.getvalue()))), stderr.getvalue()


def instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def test_windows_end_at_the_impact(elements: str) -> None:
    options = ("--site", "J04", "--site", "950", "--start", "2023-02-12", "--nights", "3")
    options += ("--min-alt", "-90", "--moon-sep", "0", "--v-limit", "99")
    rows, told = rows_of("windows", "--elements", elements, *options)
    assert rows
    hit = dt.datetime(2023, 2, 13, 3, 0, 30, tzinfo=dt.UTC)
    assert all(instant(row["end_utc"]) < hit + dt.timedelta(minutes=3) for row in rows)
    ends = [instant(row["end_utc"]) for row in rows if row["closed_by"] == "impact"]
    assert ends
    assert all(abs(end - hit) < dt.timedelta(minutes=3) for end in ends)
    assert "2023 CX1 hits the Earth at 2023-02-13T0" in told


def test_places_end_at_the_impact(elements: str) -> None:
    span = ("--start", "2023-02-13T02:30:00Z", "--stop", "2023-02-13T04:00:00Z", "--step", "10m")
    rows, told = rows_of("ephemeris", "--elements", elements, "--site", "500", *span)
    assert [row["utc"][11:16] for row in rows] in (["02:30", "02:40", "02:50"], ["02:30", "02:40", "02:50", "03:00"])
    assert "hits the Earth at" in told


@pytest.mark.parametrize("start", ["2023-02-13T06:00:00Z", "2026-11-22T00:00:00Z"])
def test_after_the_impact_everything_is_refused(elements: str, start: str) -> None:
    stop = start.replace("T0", "T1")
    with pytest.raises(CommandError, match="hits the Earth at 2023-02-13T0") as refusal:
        rows_of("ephemeris", "--elements", elements, "--site", "500", "--start", start, "--stop", stop, "--step", "2h")
    assert refusal.value.returncode == 2


def test_a_night_after_the_impact_is_explained(elements: str) -> None:
    rows, _ = rows_of("explain", "--elements", elements, "--site", "J04", "--night", "2023-02-13", "--min-alt", "-90")
    assert (rows[0]["observable"], rows[0]["reason"]) == ("false", "impact")
    assert rows[0]["detail"].startswith("hits the Earth at 2023-02-13T0")
