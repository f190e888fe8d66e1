"""Designations, packed and unpacked. Examples: Minor Planet Center, "Packed Provisional and Permanent Designations"."""

import contextlib
import string

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from targets.designations import (
    DesignationError,
    FullName,
    key_of,
    kind_of,
    lookup_keys,
    pack,
    pack_number,
    parts_of,
    taken_apart,
    unpack,
)

PUBLISHED = {
    "J95X00A": "1995 XA",
    "J95X01L": "1995 XL1",
    "J95F13B": "1995 FB13",
    "J98SA8Q": "1998 SQ108",
    "J98SC7V": "1998 SV127",
    "J98SG2S": "1998 SS162",
    "K99AJ3Z": "2099 AZ193",
    "K08Aa0A": "2008 AA360",
    "K07Tf8A": "2007 TA418",
    "PLS2040": "2040 P-L",
    "T1S3138": "3138 T-1",
    "T2S1010": "1010 T-2",
    "T3S4101": "4101 T-3",
    "K26Cz9Z": "2026 CZ619",
    "_QC0000": "2026 CA620",
    "_QC0aEM": "2026 CZ6190",
    "_QCzzzz": "2026 CL591673",
    "K04M04N": "2004 MN4",
    "K24Y04R": "2024 YR4",
    "00433": "433",
    "03202": "3202",
    "50000": "50000",
    "A0345": "100345",
    "a0017": "360017",
    "K3289": "203289",
    "z9999": "619999",
    "~0000": "620000",
    "~000z": "620061",
    "~AZaz": "3140113",
    "~zzzz": "15396335",
}

_YEARS = st.integers(1925, 2099)
_HALF_MONTHS = st.sampled_from("ABCDEFGHJKLMNOPQRSTUVWXY")
_SECONDS = st.sampled_from("ABCDEFGHJKLMNOPQRSTUVWXYZ")


def provisional(year: int | str, half_month: str, second: str, cycle: int) -> str:
    return f"{year} {half_month}{second}{cycle or ''}"


@pytest.mark.parametrize(("packed", "readable"), PUBLISHED.items())
def test_published_examples_both_ways(packed: str, readable: str) -> None:
    assert unpack(packed) == readable
    assert pack(readable) == packed


@given(st.integers(1, 15_396_335))
@example(99_999)
@example(100_000)
@example(619_999)
@example(620_000)
def test_numbers_survive_packing(number: int) -> None:
    packed = pack_number(number)
    assert len(packed) == 5
    assert unpack(packed) == str(number)
    assert pack(str(number)) == packed


@given(st.integers(1, 15_396_334))
def test_packed_numbers_sort_like_numbers_within_their_form(number: int) -> None:
    packed, following = pack_number(number), pack_number(number + 1)
    assert packed < following or following.startswith("~0000")


@pytest.mark.parametrize("number", [0, -1, 15_396_336])
def test_numbers_beyond_the_scheme_are_refused(number: int) -> None:
    with pytest.raises(DesignationError, match="expected 1 to"):
        pack_number(number)


@given(_YEARS, _HALF_MONTHS, _SECONDS, st.integers(0, 619))
def test_provisional_designations_survive_packing(year: int, half_month: str, second: str, cycle: int) -> None:
    text = provisional(year, half_month, second, cycle)
    packed = pack(text)
    assert len(packed) == 7
    assert unpack(packed) == text


@given(st.integers(2010, 2035), _HALF_MONTHS, st.integers(15_500, 15_500 + 62**4 - 1))
@example(2010, "A", 15_500)
@example(2035, "Y", 15_500 + 62**4 - 1)
def test_extended_designations_survive_packing(year: int, half_month: str, order: int) -> None:
    """Beyond the 15,500th object of a half-month; `order` counts from 0."""
    cycle, letter = divmod(order, 25)
    text = provisional(year, half_month, "ABCDEFGHJKLMNOPQRSTUVWXYZ"[letter], cycle)
    packed = pack(text)
    assert packed.startswith("_")
    assert len(packed) == 7
    assert unpack(packed) == text


@given(st.integers(1801, 1924), _HALF_MONTHS, _SECONDS, st.integers(0, 50))
def test_years_before_1925_are_written_with_an_a(year: int, half_month: str, second: str, cycle: int) -> None:
    modern = provisional(f"A{year % 1000:03d}", half_month, second, cycle)
    assert unpack(pack(modern)) == modern
    assert pack(provisional(year, half_month, second, cycle)) == pack(modern)


@given(st.integers(1001, 9999), st.sampled_from(["P-L", "T-1", "T-2", "T-3"]))
def test_survey_designations_survive_packing(number: int, survey: str) -> None:
    text = f"{number} {survey}"
    assert unpack(pack(text)) == text


@pytest.mark.parametrize(
    "text",
    ["2009 AA620", "2036 AA620", "2026 CM591673", "1700 AA", "2001 AI", "2001 ZA", "2001 IA", "Apophis", "0", ""],
)
def test_what_has_no_packed_form_is_refused(text: str) -> None:
    with pytest.raises(DesignationError):
        pack(text)


@pytest.mark.parametrize(
    "text", ["00000", "J95I00A", "J95Z00A", "J95X00I", "L01A00A", "_9C0000", "T4S1234", "PLS0001", "J95X00", "~000", ""]
)
def test_what_unpacks_to_nothing_is_refused(text: str) -> None:
    with pytest.raises(DesignationError):
        unpack(text)


@given(st.text(max_size=20))
def test_no_text_breaks_them(text: str) -> None:
    lookup_keys(text)
    parts_of(text)
    taken_apart(text)
    assert kind_of(text) in {"number", "provisional", "name", "temporary"}
    for function in (pack, unpack):
        with contextlib.suppress(DesignationError):
            function(text)


@given(st.text(alphabet=string.ascii_letters + string.digits + " ()'-/", max_size=20))
def test_a_key_is_its_own_key(text: str) -> None:
    key = key_of(text)
    assume("-" not in key)
    assert key_of(key) == key
    assert key_of(text.lower()) == key_of(text.upper()) == key


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("99942", "number"),
        ("(99942)", "number"),
        ("2004 MN4", "provisional"),
        ("2004mn4", "provisional"),
        ("A898 PA", "provisional"),
        ("2040 P-L", "provisional"),
        ("C/2023 A3", "provisional"),
        ("A/2017 U1", "provisional"),
        ("Apophis", "name"),
        ("2002 Euler", "name"),
        ("'Aylo'chaxnim", "name"),
        ("P21abcD", "temporary"),
        ("ST26H88", "temporary"),
    ],
)
def test_kinds(text: str, kind: str) -> None:
    assert kind_of(text) == kind


@pytest.mark.parametrize("text", ["2004 MN4", "2004mn4", "2004MN4", " 2004 mn4 ", "(2004 MN4)", "K04M04N", "k04m04n"])
def test_the_spellings_of_a_provisional_designation_share_a_key(text: str) -> None:
    assert key_of("2004 MN4") in lookup_keys(text)


@pytest.mark.parametrize("text", ["99942", "(99942)", " 99942 "])
def test_the_spellings_of_a_number_share_a_key(text: str) -> None:
    assert lookup_keys(text)[0] == "99942"


@pytest.mark.parametrize(("text", "key"), [("00433", "433"), ("A0345", "100345"), ("~0000", "620000")])
def test_packed_numbers_lead_to_the_number(text: str, key: str) -> None:
    assert key in lookup_keys(text)


@pytest.mark.parametrize("text", ["A898 PA", "1898 PA", "1898pa", "I98P00A"])
def test_old_years_lead_to_the_same_key(text: str) -> None:
    assert "A898PA" in lookup_keys(text)


def test_survey_and_provisional_designations_stay_apart() -> None:
    assert not set(lookup_keys("2040 P-L")) & set(lookup_keys("2040 PL"))
    assert set(lookup_keys("PLS2040")) & set(lookup_keys("2040 P-L"))


def test_accents_and_apostrophes_do_not_matter() -> None:
    assert key_of("'Ayló'chaxnim") == key_of("aylochaxnim")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("99942 Apophis", ["99942", "APOPHIS"]),
        ("(99942) Apophis", ["99942", "APOPHIS"]),
        ("99942 Apophis (2004 MN4)", ["99942", "APOPHIS", "2004MN4"]),
        ("15788 (1993 SB)", ["15788", "1993SB"]),
        ("2000 Herschel", ["2000", "HERSCHEL"]),
        ("2000 AB", []),
        ("Apophis", []),
    ],
)
def test_the_parts_of_a_full_name(text: str, parts: list[str]) -> None:
    assert parts_of(text) == parts


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("99942", FullName(number="99942")),
        ("(99942)", FullName(number="99942")),
        ("A0345", FullName(number="100345")),
        ("K04M04N", FullName(provisional="2004 MN4")),
        ("(2004mn4)", FullName(provisional="2004 MN4")),
        ("2040 P-L", FullName(provisional="2040 P-L")),
        ("P21abcD", FullName(provisional="P21abcD")),
        ("Apophis", FullName(name="Apophis")),
        ("99942 Apophis (2004 MN4)", FullName("99942", "2004 MN4", "Apophis")),
        ("(99942) 2004 MN4", FullName("99942", "2004 MN4")),
        ("99942 (Apophis)", FullName("99942", name="Apophis")),
        ("", FullName()),
    ],
)
def test_a_text_is_taken_apart(text: str, taken: FullName) -> None:
    assert taken_apart(text) == taken


@pytest.mark.parametrize(("text", "meant", "other"), [("~000a", "620036", "620010"), ("a0345", "360345", "100345")])
def test_the_case_of_a_packed_designation_decides(text: str, meant: str, other: str) -> None:
    """A form that unpacks as it stands means that object and no other: the other case is a different asteroid."""
    keys = lookup_keys(text)
    assert meant in keys
    assert other not in keys
