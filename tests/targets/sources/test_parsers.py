"""What the parsers make of a provider's answers: hand-written ones, recorded ones, and damaged ones."""

import contextlib
import dataclasses
import datetime as dt
import json
import math
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordination.common.providers.errors import Ambiguous, Nonsense, NotFound, SourceError, Wrong
from targets.orbits.covariance import OrbitCovariance
from targets.sources.horizons.parse import parse_observer
from targets.sources.sbdb.parse import parse_object
from tests.shared import needs_shared
from tests.targets.sources.parsers import PARSERS, RECORDED, SYNTHETIC, Parser, recorded

ANSWERS = {name: (SYNTHETIC / name).read_bytes() for name in PARSERS}
FIXTURES = {name: ((RECORDED / name).read_bytes(), parse) for name, parse in recorded()}
FAILED = {  # recorded answers in which the provider says no, or something else than is asked for
    "sbdb/missing.json": NotFound,
    "sentry/sentry_not_found.json": NotFound,
    "horizons/tlist_error.txt": Nonsense,
    "horizons/horizons_3361.json": Nonsense,
    "neofixer/neofixer_orbit_unknown.json": NotFound,
    "neofixer/neofixer_orbit_ST26H88_2026-08-24.json": Nonsense,  # an orbit, no list of targets
}


def leaves(value: Any) -> Iterable[Any]:
    """Everything inside of what a parser returned."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from leaves(getattr(value, field.name))
    elif isinstance(value, dict):
        yield from leaves(list(value.values()))
    elif isinstance(value, tuple | list | np.ndarray):
        for each in value:
            yield from leaves(each)
    else:
        yield value


def require_sound(value: Any) -> None:
    """Finite numbers and aware times, nothing of the answer as it came."""
    for leaf in leaves(value):
        assert not isinstance(leaf, float) or math.isfinite(leaf), leaf
        assert not isinstance(leaf, dt.datetime) or leaf.tzinfo is dt.UTC or leaf.utcoffset() == dt.timedelta(0), leaf
        assert leaf is None or isinstance(leaf, str | int | float | dt.date), leaf


def read_or_refused(parse: Parser, body: bytes) -> None:
    with contextlib.suppress(SourceError):
        require_sound(parse(body))


@pytest.mark.parametrize("name", PARSERS)
def test_a_synthetic_answer_is_marked_and_read(name: str) -> None:
    assert b"synthetic" in ANSWERS[name].lower() or name == "neocp.txt"
    value = PARSERS[name](ANSWERS[name])
    require_sound(value)
    assert not getattr(value, "rejected", ())


@needs_shared
@pytest.mark.parametrize("name", FIXTURES)
def test_a_recorded_answer_is_read(name: str) -> None:
    body, parse = FIXTURES[name]
    if name in FAILED:
        with pytest.raises(FAILED[name]):
            parse(body)
    else:
        value = parse(body)
        require_sound(value)
        assert len(getattr(value, "rejected", ())) == (1 if name == "neocp/neocp_2021-11-02.txt" else 0)


# --- what they mean ---------------------------------------------------------------------------------------------------


def read(name: str) -> Any:
    return PARSERS[name](ANSWERS[name])


def test_an_object_of_sbdb_with_covariance_and_forces() -> None:
    found = read("sbdb.json")
    assert (found.designation, found.number, found.name) == ("990001", "990001", "Synthetica")
    assert found.designations == ("990001", "2030 AA", "2024 XX9")
    assert (found.elements.epoch_tdb_jd, found.elements.e, found.elements.q_au) == (2461400.5, 0.3, 0.9)
    assert (found.nongrav.a1_au_d2, found.nongrav.a2_au_d2) == (None, -2.5e-14)
    assert found.solution.solved_at == dt.datetime(2026, 11, 20, 16, 15, 30, tzinfo=dt.UTC)  # Pacific Standard Time
    assert (found.physical.h_mag, found.physical.h_sigma_mag, found.physical.rotation_period_h) == (19.2, 0.31, 5.25)
    covariance = found.covariance
    assert covariance.elements.epoch_tdb_jd == 2461200.5  # its own
    assert covariance.elements.e == 0.29999
    assert covariance.matrix[2][2] == 4e-10
    ours = OrbitCovariance.from_sbdb({"covariance": covariance.as_published()}, "990001")
    assert ours.labels == covariance.labels
    assert ours.elements[0] == 0.29999


def test_rows_of_a_query_are_taken_by_the_names_of_their_columns() -> None:
    first, second = read("sbdb_query.json").rows
    assert (first.designation, first.i_deg, first.node_deg, first.observation_count) == ("990001", 5.5, 40.25, 240)
    assert (second.full_name, second.first_observed_on, second.a_au, second.is_pha) == ("(2030 BB1)", None, None, False)


def test_times_of_close_approaches_have_errors_in_minutes() -> None:
    first, second = read("cad.json").rows
    assert (first.time_sigma_min, second.time_sigma_min) == (1.0, 2 * 1440 + 9 * 60 + 8)
    assert (first.at_tdb_jd, first.distance_min_au, second.h_mag) == (2461480.604166667, 0.0211, None)


def test_no_close_approach_is_an_empty_list() -> None:
    reply = json.loads(ANSWERS["cad.json"])
    empty = {"signature": reply["signature"], "count": "0"}
    assert PARSERS["cad.json"](json.dumps(empty).encode()).rows == ()


def test_virtual_impactors() -> None:
    first, second = read("sentry_object.json").virtual_impactors
    assert first.at == dt.datetime(2071, 3, 14, 6, tzinfo=dt.UTC)
    assert (first.sigma, first.width_earth_radii, second.torino) == (-0.82, 0.012, None)
    assert read("sentry_list.json").rows[1].last_observed_on == dt.date(2026, 10, 3)


def test_scout_and_its_orbits() -> None:
    detail = read("scout_object.json")
    assert (detail.object.ra_deg, detail.object.dec_deg, detail.object.arc_hours) == (48.75, -12.0, 2.4)
    assert [orbit.is_impactor for orbit in detail.orbits] == [False, True]
    assert read("scout_list.json").rows[1].rating is None


def test_the_confirmation_page() -> None:
    first, second = read("neocp.txt").rows
    assert (first.ra_deg, first.discovered_at) == (48.75, dt.datetime(2026, 11, 23, 9, 36, tzinfo=dt.UTC))
    assert (second.v_mag, second.note, second.arc_days) == (None, "Updated Nov. 23.81 UT S", 12.1)


def test_identifications() -> None:
    found = read("identifier.json")
    assert (found["SYN0002"].designation, found["SYN0002"].others) == ("2030 BB1", ("2024 XX9",))
    assert (found["Twin"].found, found["Twin"].candidates) == (2, ("(990001)", "2030 BB1"))
    assert found["nobody"].found == 0


def test_zero_degrees_of_longitude_are_a_place() -> None:
    codes, rejected = read("obscodes.json")
    assert not rejected
    by_code = {code.code: code for code in codes}
    assert by_code["Z90"].place.lon_deg == 0.0
    assert by_code["Z92"].place is None


def test_tables_of_horizons() -> None:
    table = read("horizons_observer.txt")
    assert table.times[1] - table.times[0] == dt.timedelta(minutes=90)
    assert table.header.has_covariance
    assert table.ra_sigma_arcsec.tolist() == pytest.approx([0.15, 0.451 / 3])
    assert read("horizons_vectors.txt").velocity_au_d.shape == (2, 3)


def test_several_objects_are_candidates() -> None:
    listed = [{"pdes": "990001", "name": "990001 Synthetica"}, {"pdes": "2030 BB1", "name": "(2030 BB1)"}]
    with pytest.raises(Ambiguous) as caught:
        parse_object(json.dumps({"code": 300, "message": "several", "list": listed}).encode())
    assert caught.value.candidates == ("990001", "2030 BB1")
    text = ANSWERS["horizons_observer.txt"].partition(b"*****")[0]
    text += b"Matching small-bodies:\n\n    90000030   1986    1P       1P   Halley\n    90000031 1986 1P\n"
    with pytest.raises(Ambiguous) as caught:
        parse_observer(text)
    assert caught.value.candidates[0] == "90000030"


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("sbdb.json", b'"value": ".3"', b'"value": "NaN"'),
        ("sbdb.json", b'"value": ".3"', b'"value": 1e999'),
        ("sbdb.json", b'"value": ".3"', b'"value": Infinity'),
        ("sbdb.json", b'"value": ".9"', b'"value": ".8"'),  # q no longer a (1 - e)
        ("sbdb.json", b'"e", "q", "tp"', b'"q", "e", "tp"'),
        ("sbdb.json", b'"4.E-10"', b'"-4.E-10"'),
        ("sbdb.json", b'"fullname": "990001', b'"fullname": "990002'),
        ("cad.json", b'"count": "2"', b'"count": "3"'),
        ("sentry_list.json", b'"count": 2', b'"count": 3'),
        ("sentry_removed.json", b":10:", b":70:"),
        ("scout_object.json", b'"nObs": 6', b'"nObs": true'),
        ("neofixer.json", b'"num": 2', b'"num": 3'),
        ("identifier.json", b'"iau_designation": "2030 BB1", "permid"', b'"other": 1, "permid"'),
        ("horizons_observer.txt", b"01:30:00.000", b"00:00:00.000"),
        ("horizons_observer.txt", b"$$EOE", b""),
        ("horizons_observer.txt", b"Date__(UT)__", b"Date__(TT)__"),
        ("horizons_vectors.txt", b"AU-D", b"KM-S"),
        ("horizons_vectors.txt", b"ICRF", b"Ecliptic of J2000.0"),
    ],
)
def test_what_cannot_be_true_is_refused(name: str, before: bytes, after: bytes) -> None:
    changed = ANSWERS[name].replace(before, after)
    if name == "identifier.json":
        changed = changed.replace(b'"unpacked_primary_provisional_designation": "2030 BB1"', b'"other2": 1')
    assert changed != ANSWERS[name]
    with pytest.raises(Nonsense):
        PARSERS[name](changed)


def test_a_bad_row_is_named_and_its_list_incomplete() -> None:
    reply = json.loads(ANSWERS["sentry_list.json"])
    reply["data"].append(reply["data"][0] | {"ip": "1.5"})
    reply["count"] = 3
    found = PARSERS["sentry_list.json"](json.dumps(reply).encode())
    assert (len(found.rows), found.is_complete) == (2, False)
    assert (found.rejected[0].row, found.rejected[0].reason) == (3, "ip is 1.5: expected 0 to 1")


def test_another_object_is_refused() -> None:
    for name in ("990001", "Synthetica", "2030 AA", "2024xx9", "(990001) Synthetica (2030 AA)"):
        assert parse_object(ANSWERS["sbdb.json"], name)
        if "2024" not in name:
            assert parse_observer(ANSWERS["horizons_observer.txt"], name)
    for parse in (parse_object, parse_observer):
        with pytest.raises(Nonsense) as caught:
            parse(ANSWERS["sbdb.json" if parse is parse_object else "horizons_observer.txt"], "99000")
        assert caught.value.wrong is Wrong.OBJECT


# --- damaged ----------------------------------------------------------------------------------------------------------

CHANGES = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**400), 10**400),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(
        ["1e400", "-1", "NaN", "٣", "1_0", "\x00", "9" * 400, "0x1", "2026-13-40", "n.a.", [], {}, [[]], [None]]
    ),
)


def damaged_bytes(data: st.DataObject, body: bytes) -> bytes:
    """Some bytes deleted, replaced, or all from somewhere on cut off."""
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(len(body) - 1, 0)))
        length = data.draw(st.integers(0, 20))
        body = body[:at] + data.draw(st.binary(max_size=6)) + body[at + length :]
    return body[: data.draw(st.integers(0, len(body)))] if data.draw(st.integers(0, 3)) == 0 else body


def nodes(value: Any, path: tuple[Any, ...] = ()) -> Iterable[tuple[Any, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in entries:
        yield (*path, key)
        yield from nodes(each, (*path, key))


def damaged_json(data: st.DataObject, body: bytes) -> bytes:
    """Some nodes deleted, doubled or replaced by anything."""
    value = json.loads(body)
    for _ in range(data.draw(st.integers(1, 3))):
        paths = list(nodes(value))
        if not paths:
            break
        *parents, last = data.draw(st.sampled_from(paths))
        place = value
        for parent in parents:
            place = place[parent]
        what = data.draw(st.sampled_from(["delete", "replace", "replace", "wrap"]))
        if what == "delete":
            del place[last]
        else:
            # A copy: a list that is drawn again must not be one that was damaged meanwhile.
            place[last] = [place[last]] if what == "wrap" else deepcopy(data.draw(VALUES))
    return json.dumps(value).encode()


@pytest.mark.parametrize("name", PARSERS)
@CHANGES
@given(data=st.data())
def test_damaged_bytes_are_read_or_refused(name: str, data: st.DataObject) -> None:
    read_or_refused(PARSERS[name], damaged_bytes(data, ANSWERS[name]))


@pytest.mark.parametrize("name", [name for name in PARSERS if name.endswith(".json")])
@CHANGES
@given(data=st.data())
def test_damaged_json_is_read_or_refused(name: str, data: st.DataObject) -> None:
    read_or_refused(PARSERS[name], damaged_json(data, ANSWERS[name]))


@needs_shared
@settings(CHANGES, max_examples=100)
@given(data=st.data())
def test_damaged_recorded_answers_are_read_or_refused(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(name for name, (body, _) in FIXTURES.items() if len(body) < 20_000)))
    body, parse = FIXTURES[name]
    is_json = name.endswith(".json") and body[:1] == b"{"
    damage = damaged_json if is_json and data.draw(st.booleans()) else damaged_bytes
    read_or_refused(parse, damage(data, body))
