"""Windows as CSV and VOTable, and only the fields asked for."""

import csv
import io

import pytest
from astropy.io.votable import parse
from django.db.models import Avg

from coordination.common.tables import TEXT, UNICODE, TableColumn, _as_csv
from coordination.visibility import planning, window_table
from coordination.visibility.models import Chunk, VisibilityWindow

from .test_api import URL, instant

pytestmark = [pytest.mark.usefixtures("well_placed"), pytest.mark.django_db]


@pytest.fixture
def computed(catalogue, network, settings, monkeypatch):
    settings.PLANNING_HORIZON_NIGHTS = 3
    monkeypatch.setattr("coordination.visibility.tasks.compute_chunk.delay", lambda pk: None)
    planning.plan()
    for chunk_id in Chunk.objects.values_list("pk", flat=True):
        planning.run_chunk(chunk_id)
    return {"after": instant(planning.stored_span().starts_at)}


def body(answer) -> bytes:
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def csv_rows(answer) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body(answer).decode(), newline="")))


def all_pages(client, query) -> list[dict]:
    rows, url = [], None
    while True:
        page = (client.get(url) if url else client.get(URL, {**query, "limit": 100})).json()
        rows, url = rows + page["results"], page["next"]
        if url is None:
            return rows


def flat(row: dict) -> dict:
    """A window of the JSON under the names of the columns."""
    target, telescope, orbit = row.pop("target"), row.pop("telescope"), row.pop("orbit")
    ellipse = row.pop("uncertainty") or dict.fromkeys(
        ("major_arcsec", "minor_arcsec", "position_angle_deg", "is_estimate", "nonlinear")
    )
    told = {"target": target["designation"], "target_name": target["name"], "telescope": telescope["id"]}
    told |= {"telescope_name": telescope["name"]} | {n: telescope[n] for n in ("observatory", "mpc_code")}
    told |= {"organisation": telescope["organisation"], "u_parameter": orbit["u_parameter"]}
    told |= {"arc_d": orbit["arc_days"], "last_observed_on": orbit["last_observed_on"]}
    return told | {f"uncertainty_{name}": value for name, value in ellipse.items()} | row


def same(cell: str, value) -> bool:
    if value is None or isinstance(value, bool | str):
        return cell == {None: "", True: "true", False: "false"}.get(value, value)
    return float(cell) == pytest.approx(value, abs=1e-9)


def test_a_table_holds_every_window_with_the_figures_of_the_json(client, computed, monkeypatch):
    monkeypatch.setattr("coordination.common.tables.ROWS_AT_ONCE", 7)  # several parts
    answer = client.get(URL, {**computed, "format": "csv", "order_by": "-duration_s"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = csv_rows(answer)
    expected = [flat(row) for row in all_pages(client, {**computed, "order_by": "-duration_s"})]
    assert len(rows) == len(expected) > 20
    for row, told in zip(rows, expected, strict=True):
        assert set(row) == set(told)
        assert not {name: (row[name], told[name]) for name in row if not same(row[name], told[name])}


def test_a_votable_has_units_and_the_same_rows(client, computed):
    answer = client.get(URL, computed, headers={"Accept": "application/x-votable+xml"})
    assert answer["Content-Type"] == "application/x-votable+xml"
    document = parse(io.BytesIO(body(answer)), verify="exception")
    table = document.get_first_table()
    units = {field.name: str(field.unit or "") for field in table.fields}
    assert (units["duration_s"], units["v_mag"], units["start_ra_deg"]) == ("s", "mag", "deg")
    assert (units["rate_arcsec_min"], units["uncertainty_major_arcsec"]) == ("arcsec / min", "arcsec")
    assert {f.name for f in table.fields if f.xtype == "timestamp"} >= {"starts_at", "ends_at", "peak_at", "night"}
    rows = csv_rows(client.get(URL, computed, headers={"Accept": "text/csv"}))
    assert [str(start) for start in table.array["starts_at"]] == [row["starts_at"] for row in rows]
    assert table.array["v_mag"].tolist() == [float(row["v_mag"]) for row in rows]
    infos = {info.name: info.value for info in document.resources[0].infos}
    assert infos["QUERY_STATUS"] == "OK"
    assert infos["ORBITS"].startswith("only orbits that are good or fair")


def test_no_windows_are_a_table_without_rows(client, computed):
    query = {**computed, "v_max": -20}
    assert csv_rows(client.get(URL, {**query, "format": "csv"})) == []
    table = parse(io.BytesIO(body(client.get(URL, {**query, "format": "votable"})))).get_first_table()
    assert len(table.array) == 0
    assert table.fields


def test_fields_choose_what_is_shown_in_every_format(client, computed):
    query = {**computed, "fields": "starts_at,target"}
    assert {tuple(row) for row in all_pages(client, query)} == {("target", "starts_at")}
    assert list(csv_rows(client.get(URL, {**query, "format": "csv"}))[0]) == ["target", "target_name", "starts_at"]
    table = parse(io.BytesIO(body(client.get(URL, {**query, "format": "votable"})))).get_first_table()
    assert [field.name for field in table.fields] == ["target", "target_name", "starts_at"]


@pytest.mark.parametrize("address", ["windows/", "telescopes/", "targets/Ivar/", "observatories/"])
def test_an_unknown_field_is_refused_with_the_known_ones(client, catalogue, address):
    answer = client.get(f"/api/v1/{address}", {"fields": "name,colour"})
    assert answer.status_code == 400
    assert {error["field"] for error in answer.json()["errors"]} == {"fields"}
    assert "'colour' is not a field here; there are " in answer.json()["detail"]


def test_details_can_be_sparse_too(client, catalogue):
    assert client.get("/api/v1/targets/Ivar/", {"fields": "name,designation"}).json() == {
        "designation": "1627",
        "name": "Ivar",
    }


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 5}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"order_by": "colour"}, "order_by"),
        ({"v_max": "x"}, "v_max"),
    ],
)
def test_refusals_of_tables_are_problems(client, query, field):
    for headers, more in (({"Accept": "text/csv"}, {}), ({}, {"format": "votable"})):
        answer = client.get(URL, {**query, **more}, headers=headers)
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
        assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_more_rows_than_a_table_may_have_are_refused(client, computed, monkeypatch):
    monkeypatch.setattr(window_table, "MOST_ROWS", 5)
    answer = client.get(URL, {**computed, "format": "csv"})
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_a_table_of_any_length_costs_the_same_number_of_queries(client, computed, django_assert_num_queries):
    lengths, mean_s = set(), VisibilityWindow.objects.aggregate(Avg("duration_s"))["duration_s__avg"]
    for query in (computed, {**computed, "min_duration_s": mean_s}):
        with django_assert_num_queries(8):
            lengths.add(len(csv_rows(client.get(URL, {**query, "format": "csv"}))))
    assert len(lengths) == 2


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_text_that_a_spreadsheet_would_run_is_only_text(text):
    columns = [TableColumn("name", UNICODE, "", lambda row: row), TableColumn("code", TEXT, "", lambda row: "plain")]
    lines = b"".join(_as_csv(columns, [[[text, "-2.5"]]])).decode()
    assert list(csv.reader(io.StringIO(lines, newline="")))[1] == ["'" + text, "'-2.5"]
