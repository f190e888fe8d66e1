"""Records of the Minor Planet Center's extended JSON."""

import datetime as dt
import math
from typing import Any

import pytest

from targets.sources.mpc.parse import parse_record
from targets.sources.records import OrbitRecord, RecordError

from .excerpt import raw_record, raw_records

ELEMENT_FIELDS = ["Epoch", "a", "e", "i", "Node", "Peri", "M"]


def test_every_field_of_a_numbered_object() -> None:
    record = parse_record(raw_record("Eros"))
    assert (record.number, record.name, record.designation) == ("433", "Eros", "433")
    assert record.provisional == ("A898 PA", "1956 PC")
    assert (record.orbit_class, record.is_neo, record.is_pha) == ("Amor", True, False)
    orbit = record.orbit
    assert orbit.source == "mpc"
    assert orbit.epoch_tdb_jd == 2461000.5
    assert (orbit.a_au, orbit.e, orbit.i_deg) == (1.458121, 0.222836, 10.82847)
    assert (orbit.node_deg, orbit.peri_deg, orbit.mean_anomaly_deg) == (304.2701, 178.92976, 310.55432)
    assert (orbit.h_mag, orbit.g_slope, orbit.u_parameter) == (10.38, 0.15, "0")
    assert (orbit.reference, orbit.last_observed_on) == ("E2026-C73", dt.date(2026, 2, 10))
    assert (orbit.observation_count, orbit.opposition_count, orbit.rms_arcsec) == (16951, 59, 0.62)
    assert (orbit.a1_au_d2, orbit.a2_au_d2, orbit.a3_au_d2) == (None, None, None)


def test_potentially_hazardous() -> None:
    assert parse_record(raw_record("Apophis")).is_pha


def test_an_arc_in_years_is_turned_into_days() -> None:
    orbit = parse_record(raw_record("Eros")).orbit
    assert orbit.arc_text == "1893-2026"
    assert orbit.arc_days == 133 * 365.25


def test_an_arc_of_two_oppositions_within_one_year_is_not_taken_for_none() -> None:
    arc_days = parse_record(raw_record("Eros", Arc_years="2026-2026")).orbit.arc_days
    assert arc_days is not None
    assert 10.0 < arc_days < 366.0


def test_what_an_arc_means_is_documented() -> None:
    assert "years" in (OrbitRecord.__doc__ or "")


def test_an_arc_in_days_stays() -> None:
    record = parse_record(raw_record("2024 YR4"))
    assert (record.orbit.arc_days, record.orbit.arc_text) == (138.0, "138 days")
    assert record.designation == "2024 YR4"
    assert record.number == record.name == ""


@pytest.mark.parametrize("designation", ["2010 LF64", "2010 LB67"])
def test_without_h(designation: str) -> None:
    orbit = parse_record(raw_record(designation)).orbit
    assert orbit.h_mag is None
    assert orbit.g_slope == 0.15


@pytest.mark.parametrize("designation", ["1991 VA", "2010 LB67"])
def test_without_u(designation: str) -> None:
    assert parse_record(raw_record(designation)).orbit.u_parameter == ""


def test_u_may_be_a_letter() -> None:
    assert parse_record(raw_record("2006 WO130")).orbit.u_parameter == "E"


def test_not_near_earth() -> None:
    without = next(record for record in raw_records() if not record.get("NEO_flag"))
    assert not parse_record(without).is_neo


def test_all_of_the_excerpt() -> None:
    records = [parse_record(raw) for raw in raw_records()]
    assert len({record.designation for record in records}) == len(records) == 33
    assert len({record.orbit.fingerprint() for record in records}) == 33


def test_added_fields_are_passed_over() -> None:
    assert parse_record(raw_record("Eros", New_field={"x": [1]})) == parse_record(raw_record("Eros"))


def test_numbers_as_text_or_bare_are_read() -> None:
    assert parse_record(raw_record("Eros", Number=433, a="1.458121")) == parse_record(raw_record("Eros"))


@pytest.mark.parametrize("field", ELEMENT_FIELDS)
@pytest.mark.parametrize("value", [math.nan, math.inf, "", "abc", None, [1.0], {}])
def test_an_element_that_is_no_number_is_refused_by_name(field: str, value: Any) -> None:
    raw = raw_record("Eros") | {field: value}
    with pytest.raises(RecordError, match=f"433: {field} is"):
        parse_record(raw)


@pytest.mark.parametrize("field", ELEMENT_FIELDS)
def test_an_element_that_is_missing_is_named(field: str) -> None:
    with pytest.raises(RecordError, match=f"{field} is missing"):
        parse_record(raw_record("Eros", **{field: None}))


@pytest.mark.parametrize("field", [*ELEMENT_FIELDS, "H", "Num_obs", "rms"])
def test_a_number_of_a_thousand_digits_is_refused(field: str) -> None:
    with pytest.raises(RecordError, match=field):
        parse_record(raw_record("Eros", **{field: 10**1000}))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"e": 1.2}, "e < 1 with a > 0"),
        ({"e": 1.0}, "parabola"),
        ({"e": -0.1}, "0 or more"),
        ({"a": -1.4}, "a < 0"),
        ({"a": 0.0}, "a"),
        ({"i": 181.0}, "0 to 180"),
        ({"i": -1.0}, "0 to 180"),
        ({"Number": "(4x3)"}, "Number"),
        ({"Last_obs": "2026-13-01"}, "Last_obs"),
        ({"Arc_years": "1893"}, "Arc_years"),
        ({"Num_obs": -1}, "Num_obs"),
        ({"Num_obs": 1.5}, "Num_obs"),
        ({"Other_desigs": "1956 PC"}, "Other_desigs"),
        ({"H": math.nan}, "H"),
    ],
)
def test_values_that_cannot_be_are_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(RecordError, match=reason):
        parse_record(raw_record("Eros", **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"Name": "E" * 65},
        {"Name": "Er\x00os"},
        {"Name": "Er\ud800os"},
        {"Other_desigs": ["1956 PC" * 20]},
        {"Number": f"({'4' * 41})"},
        {"Ref": "E" * 65},
        {"Orbit_type": "A" * 33},
        {"Num_obs": 2**31},
        {"U": "10"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_the_database_cannot_hold_is_refused_here(changes: dict[str, Any]) -> None:
    """Else one such row would make the database refuse all the others with it."""
    with pytest.raises(RecordError, match=next(iter(changes))):
        parse_record(raw_record("Eros", **changes))


@pytest.mark.parametrize("epoch", [0.0, 61000.5, 1e9])
def test_an_epoch_that_is_no_julian_date_is_refused(epoch: float) -> None:
    with pytest.raises(RecordError, match="Epoch"):
        parse_record(raw_record("Eros", Epoch=epoch))


@pytest.mark.parametrize("raw", [None, 5, "433", [], ["433"]])
def test_what_is_no_object_is_refused(raw: Any) -> None:
    with pytest.raises(RecordError, match="no JSON object"):
        parse_record(raw)


def test_an_object_without_any_designation_is_refused() -> None:
    with pytest.raises(RecordError, match="neither Number nor Principal_desig nor Name"):
        parse_record(raw_record("Eros", Number=None, Principal_desig=None, Name=None, Other_desigs=None))


def test_a_designation_that_is_punctuation_only_is_refused() -> None:
    with pytest.raises(RecordError):
        parse_record(raw_record("2024 YR4", Principal_desig="--"))


def test_the_same_solution_has_the_same_fingerprint() -> None:
    again = parse_record(raw_record("Eros")).orbit
    assert parse_record(raw_record("Eros", Name="Other", Computer="Other")).orbit.fingerprint() == again.fingerprint()
    assert parse_record(raw_record("Eros", M=310.55433)).orbit.fingerprint() != again.fingerprint()
