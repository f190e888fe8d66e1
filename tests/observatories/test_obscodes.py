"""The code list of the Minor Planet Center as a newcomer's records: what becomes of each kind."""

import json

import pytest

from observatories.sources.obscodes import ObscodesError, find_code, parse_codes, read_codes

PARANAL = {"Longitude": 289.59569, "cos": 0.909943, "sin": -0.414336, "Name": "Cerro Paranal"}


def test_paranal_stands_where_it_stands():
    place = find_code("309").place
    assert place is not None
    assert place.lon_east_deg == pytest.approx(-70.40431, abs=1e-5)
    assert place.lat_deg == pytest.approx(-24.627, abs=1e-3)
    assert place.height_m == pytest.approx(2637, abs=1)


def test_zero_is_a_longitude():
    place = find_code("000").place
    assert place is not None
    assert place.lon_deg == 0.0
    assert place.lat_deg == pytest.approx(51.477, abs=1e-3)


@pytest.mark.parametrize("code", ["500", "244", "248", "275", "247", "270", "250", "274", "C51", "C57"])
def test_geocentre_spacecraft_and_roving_observers_have_no_place(code):
    assert find_code(code).place is None


def test_every_code_of_the_package_is_read_or_rejected_with_its_reason():
    codes, rejected = read_codes()
    assert len(codes) + len(rejected) >= 2734
    assert len(rejected) < 20
    assert {code.code for code in rejected} >= {"072", "508", "782"}  # old constants of three decimals
    assert all("km below the ellipsoid" in code.reason for code in rejected)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"Longitude": None}, "Longitude is None: expected a number"),
        ({"cos": "0.9"}, "cos is '0.9': expected a number"),
        ({"sin": float("nan")}, "sin is nan: expected a number"),
        ({"Longitude": 400.0}, "expected -180 to 360 degrees"),
        ({"cos": 0.5, "sin": 0.5}, "not those of a point near the ground"),
        ({"cos": 1.2, "sin": 0.0}, "km above the ellipsoid"),
        ({"Name": ""}, "Name is missing"),
        ({"Name": None}, "Name is missing"),
    ],
)
def test_nonsense_is_rejected_and_the_rest_is_read(change, reason):
    codes, rejected = parse_codes({"309": PARANAL, "XXX": {**PARANAL, **change}})
    assert [code.code for code in codes] == ["309"]
    assert [code.code for code in rejected] == ["XXX"]
    assert reason in rejected[0].reason


@pytest.mark.parametrize("records", [None, [], [1], {}, "309", 7])
def test_what_is_no_code_list_is_said_to_be_none(records):
    with pytest.raises(ObscodesError, match="not a list of observatory codes"):
        parse_codes(records)


def test_a_code_that_is_no_code_and_a_record_that_is_none_are_rejected():
    _, rejected = parse_codes({"3 9": PARANAL, "30": PARANAL, "309": "Paranal"})
    assert [code.code for code in rejected] == ["3 9", "30", "309"]


def test_an_unknown_code_names_its_neighbours():
    with pytest.raises(ObscodesError, match=r"unknown observatory code 'F5Z'; near are .*F51 \(Pan-STARRS 1"):
        find_code("F5Z")


def test_an_unusable_code_says_why():
    with pytest.raises(ObscodesError, match=r"508 \(Zeist\) is unusable: .* km below the ellipsoid"):
        find_code("508")


def test_codes_are_found_in_lower_case():
    assert find_code(" x05 ").name.startswith("Simonyi")


def test_a_file_that_is_broken_or_missing(tmp_path):
    broken = tmp_path / "codes.json"
    broken.write_text(json.dumps({"309": PARANAL})[:-20])
    with pytest.raises(ObscodesError, match="is not JSON"):
        read_codes(broken)
    broken.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ObscodesError, match="is not JSON"):
        read_codes(broken)
    with pytest.raises(ObscodesError, match="No such file"):
        read_codes(tmp_path / "none.json")
