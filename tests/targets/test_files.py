"""Files of orbits, told apart by their content; what cannot be used says why."""

import gzip
import math
from pathlib import Path

import pytest

from targets.sources.files import FileError, Rejection, read_file
from targets.sources.records import TargetRecord

from .excerpt import CSV_APOPHIS, EXCERPT, HEADER, raw_record, raw_records, write_csv, write_gzip, write_json


def records_in(path: Path) -> list[TargetRecord]:
    parsed = list(read_file(path).parse())
    assert all(isinstance(item, TargetRecord) for item in parsed), parsed
    return parsed  # type: ignore[return-value]


def rejection_in(path: Path) -> Rejection:
    (rejection,) = (item for item in read_file(path).parse() if isinstance(item, Rejection))
    return rejection


@pytest.mark.parametrize("name", ["orbits.json", "orbits.csv", "orbits.json.gz", "orbits"])
def test_json_and_gzip_are_known_by_content_not_by_name(tmp_path: Path, name: str) -> None:
    expected = records_in(EXCERPT)
    assert len(expected) == 33
    assert records_in(write_json(tmp_path / name, raw_records())) == expected
    assert records_in(write_gzip(tmp_path / name, raw_records())) == expected


def test_a_csv_of_elements(tmp_path: Path) -> None:
    (record,) = records_in(write_csv(tmp_path / "orbits.json", CSV_APOPHIS))
    assert (record.number, record.name) == ("99942", "Apophis")
    orbit = record.orbit
    assert (orbit.source, orbit.epoch_tdb_jd, orbit.a_au, orbit.mean_anomaly_deg) == ("file", 2461200.5, 0.92238, 12.5)
    assert (orbit.h_mag, orbit.g_slope) == (19.09, 0.24)
    assert (orbit.a1_au_d2, orbit.a2_au_d2, orbit.a3_au_d2) == (5e-13, -2.9e-14, None)


def test_an_empty_h_is_unknown_and_an_empty_g_the_usual_one(tmp_path: Path) -> None:
    row = "2010 LF64,,2461000.5,1.34,0.16,17.5,19.1,239.7,322.9,,,,,"
    (record,) = records_in(write_csv(tmp_path / "orbits.csv", row))
    assert record.orbit.h_mag is None
    assert record.orbit.g_slope == 0.15
    assert record.provisional == ("2010 LF64",)


def test_columns_in_any_order_with_a_byte_order_mark(tmp_path: Path) -> None:
    header, row = HEADER.split(","), CSV_APOPHIS.split(",")
    turned = write_csv(tmp_path / "turned.csv", ",".join(reversed(row)), header="\ufeff" + ",".join(reversed(header)))
    assert records_in(turned) == records_in(write_csv(tmp_path / "straight.csv", CSV_APOPHIS))


@pytest.mark.parametrize(
    ("designation", "number", "provisional", "name"),
    [
        ("99942", "99942", "", ""),
        ("(99942)", "99942", "", ""),
        ("2004 MN4", "", "2004 MN4", ""),
        ("(2004 MN4)", "", "2004 MN4", ""),
        ("2004mn4", "", "2004 MN4", ""),
        ("K04M04N", "", "2004 MN4", ""),
        ("A0345", "100345", "", ""),
        ("Apophis", "", "", "Apophis"),
        ("99942 Apophis", "99942", "", "Apophis"),
        ("99942 Apophis (2004 MN4)", "99942", "2004 MN4", "Apophis"),
        ("594913 'Aylo'chaxnim (2020 AV2)", "594913", "2020 AV2", "'Aylo'chaxnim"),
        ("706765 (2010 TK7)", "706765", "2010 TK7", ""),
    ],
)
@pytest.mark.parametrize("repeated", [False, True])
def test_the_designation_of_a_csv_in_any_form(
    tmp_path: Path, designation: str, number: str, provisional: str, name: str, repeated: bool
) -> None:
    """What Horizons and people write is taken apart; a name column that repeats it (as Horizons' does) adds nothing."""
    row = CSV_APOPHIS.replace("99942,Apophis", f"{designation},{designation if repeated else ''}")
    (record,) = records_in(write_csv(tmp_path / "orbits.csv", row))
    assert record.number == number
    assert record.provisional == ((provisional,) if provisional else ())
    assert record.name == name


@pytest.mark.parametrize("column", ["designation", "epoch_jd", "a", "e", "i", "node", "peri", "M"])
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    names = HEADER.split(",")
    place = names.index(column)
    cells = CSV_APOPHIS.split(",")
    path = write_csv(
        tmp_path / "orbits.csv",
        ",".join(cells[:place] + cells[place + 1 :]),
        header=",".join(names[:place] + names[place + 1 :]),
    )
    with pytest.raises(FileError, match=f"lacks the column {column}: expected designation,name"):
        read_file(path)


@pytest.mark.parametrize("field", ["epoch_jd", "a", "e", "i", "node", "peri", "M"])
@pytest.mark.parametrize("value", ["", "nan", "inf", "-inf", "x", "1,5"])
def test_a_value_that_is_no_number_rejects_its_row_by_field(tmp_path: Path, field: str, value: str) -> None:
    cells = CSV_APOPHIS.split(",")
    cells[HEADER.split(",").index(field)] = f'"{value}"'
    path = write_csv(tmp_path / "orbits.csv", CSV_APOPHIS.replace("99942,Apophis", "433,Eros"), ",".join(cells))
    rejection = rejection_in(path)
    assert (rejection.row, rejection.name) == (2, "99942")
    assert f"{field} is" in rejection.reason


@pytest.mark.parametrize("field", ["H", "G", "A1", "A2", "A3"])
@pytest.mark.parametrize("value", ["nan", "inf", "x"])
def test_optional_values_are_numbers_or_nothing(tmp_path: Path, field: str, value: str) -> None:
    cells = CSV_APOPHIS.split(",")
    cells[HEADER.split(",").index(field)] = value
    assert f"{field} is" in rejection_in(write_csv(tmp_path / "orbits.csv", ",".join(cells))).reason


@pytest.mark.parametrize(
    ("field", "value"),
    [("epoch_jd", "61200.5"), ("e", "1.2"), ("e", "1"), ("e", "-0.1"), ("a", "-0.9"), ("a", "0"), ("i", "190")],
)
def test_values_that_cannot_be_reject_their_row(tmp_path: Path, field: str, value: str) -> None:
    cells = CSV_APOPHIS.split(",")
    cells[HEADER.split(",").index(field)] = value
    assert field in rejection_in(write_csv(tmp_path / "orbits.csv", ",".join(cells))).reason


def test_a_hyperbola_has_a_negative_axis(tmp_path: Path) -> None:
    row = "A/2017 U1,,2458080.5,-1.27,1.2,122.7,24.6,241.8,36.4,22.1,,,,"
    (record,) = records_in(write_csv(tmp_path / "orbits.csv", row))
    assert record.orbit.a_au == -1.27


@pytest.mark.parametrize("bad", ["433,Eros,2461200.5", CSV_APOPHIS + ",extra", CSV_APOPHIS.replace("99942", "", 1)])
def test_a_row_that_is_cut_off_or_nameless_does_not_stop_the_others(tmp_path: Path, bad: str) -> None:
    path = write_csv(tmp_path / "orbits.csv", CSV_APOPHIS, bad, CSV_APOPHIS.replace("99942,Apophis", "433,Eros"))
    parsed = list(read_file(path).parse())
    assert [type(item) for item in parsed] == [TargetRecord, Rejection, TargetRecord]


@pytest.mark.parametrize("designation", ["D" * 65, "De\x00signation"])
def test_a_name_that_the_database_cannot_hold_rejects_its_row(tmp_path: Path, designation: str) -> None:
    path = write_csv(tmp_path / "orbits.csv", CSV_APOPHIS, CSV_APOPHIS.replace("99942,Apophis", f"{designation},"))
    assert rejection_in(path).row == 2


def test_rejections_count_rows_of_the_file_from_one(tmp_path: Path) -> None:
    records = [raw_record("Eros"), raw_record("Apophis", a=math.nan), raw_record("Bennu")]
    parsed = list(read_file(write_json(tmp_path / "orbits.json", records)).parse())
    assert [item.row for item in parsed if isinstance(item, Rejection)] == [2]
    assert [item.name for item in parsed if isinstance(item, TargetRecord)] == ["Eros", "Bennu"]


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="No such file"):
        read_file(tmp_path / "none.json")
    with pytest.raises(FileError, match="directory"):
        read_file(tmp_path)


@pytest.mark.parametrize("keep", [2, 9, 0.3, 0.9, 0.999])
def test_a_gzip_file_that_is_cut_off(tmp_path: Path, keep: float) -> None:
    whole = gzip.compress(EXCERPT.read_bytes())
    path = tmp_path / "orbits.json.gz"
    path.write_bytes(whole[: keep if isinstance(keep, int) else int(len(whole) * keep)])
    with pytest.raises(FileError, match="cut off or damaged"):
        read_file(path)


def test_a_gzip_file_with_a_turned_bit(tmp_path: Path) -> None:
    damaged = bytearray(gzip.compress(EXCERPT.read_bytes()))
    damaged[len(damaged) // 2] ^= 1
    path = tmp_path / "orbits.json.gz"
    path.write_bytes(damaged)
    with pytest.raises(FileError):
        read_file(path)


def test_json_that_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "orbits.json"
    path.write_bytes(EXCERPT.read_bytes()[:-100])
    with pytest.raises(FileError, match="not complete JSON"):
        read_file(path)


@pytest.mark.parametrize("content", ["{}", "[]", '{"data": []}'])
def test_json_that_is_no_list_of_objects(tmp_path: Path, content: str) -> None:
    path = tmp_path / "orbits.json"
    path.write_text(content)
    with pytest.raises(FileError, match="no list of objects"):
        read_file(path)


def test_json_nested_without_end(tmp_path: Path) -> None:
    path = tmp_path / "orbits.json"
    path.write_text("[" * 200_000)
    with pytest.raises(FileError):
        read_file(path)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe\x00binary", b"hello world", b"<html></html>"])
def test_what_is_neither(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "orbits"
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"neither MPC extended JSON, .* nor a CSV of elements"):
        read_file(path)


def test_a_csv_without_rows(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no orbits"):
        read_file(write_csv(tmp_path / "orbits.csv"))


def test_a_quote_that_is_not_closed(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"orbits\.csv"):
        read_file(write_csv(tmp_path / "orbits.csv", '"99942' + CSV_APOPHIS[5:]))
