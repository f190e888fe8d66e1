"""Elements to states and back, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.orbits.elements import (
    ElementsError,
    OrbitBatch,
    cometary_to_state,
    keplerian_to_state,
    state_to_keplerian,
)
from targets.orbits.elements_csv import ElementsFileError, read_elements_csv
from targets.orbits.kepler import GM_SUN

angles = st.floats(0.0, 359.99)
GOOD = {"a_au": 1.5, "e": 0.3, "i_deg": 10.0, "node_deg": 20.0, "peri_deg": 30.0, "m_deg": 40.0}


def apart_deg(a: float, b: float) -> float:
    return abs((a - b + 180.0) % 360.0 - 180.0)


@given(st.floats(0.4, 40.0), st.floats(0.001, 0.98), st.floats(0.1, 179.0), angles, angles, angles)
def test_ellipses_survive_the_round_trip(a: float, e: float, i: float, node: float, peri: float, m: float) -> None:
    back = state_to_keplerian(keplerian_to_state(a, e, i, node, peri, m))[0]
    np.testing.assert_allclose(back[:3], [a, e, i], rtol=1e-9, atol=1e-9)
    for index, angle, tolerance in ((3, node, 1e-9), (4, peri, 1e-7), (5, m, 1e-7)):
        assert apart_deg(back[index], angle) < tolerance / min(e, 1.0)


@given(st.floats(0.1, 5.0), st.floats(1.01, 4.0), st.floats(0.1, 179.0), angles, angles, st.floats(-200.0, 200.0))
def test_hyperbolas_survive_the_round_trip(
    q: float, e: float, i: float, node: float, peri: float, since: float
) -> None:
    state = cometary_to_state(q, e, i, node, peri, 61000.0, 61000.0 + since)
    a, e_back, *_, m_deg = state_to_keplerian(state)[0]
    assert (a, e_back) == pytest.approx((q / (1.0 - e), e), rel=1e-9)
    assert np.radians(m_deg) == pytest.approx(np.sqrt(GM_SUN / abs(a) ** 3) * since, rel=1e-7, abs=1e-9)
    np.testing.assert_allclose(keplerian_to_state(*state_to_keplerian(state)[0]), state, rtol=1e-7, atol=1e-10)


def test_both_kinds_of_elements_give_the_same_ellipse() -> None:
    a, e, m = 1.4, 0.4, 25.0
    tp = 61000.0 - np.radians(m) / np.sqrt(GM_SUN / a**3)
    np.testing.assert_allclose(
        cometary_to_state(a * (1.0 - e), e, 10.0, 20.0, 30.0, tp, 61000.0),
        keplerian_to_state(a, e, 10.0, 20.0, 30.0, m),
        rtol=1e-12,
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"e": 1.2}, "e"),
        ({"a_au": -1.5}, "a"),
        ({"a_au": 0.0}, "a"),
        ({"e": -0.1}, "e"),
        ({"e": np.nan}, "e"),
        ({"a_au": np.inf}, "a"),
        ({"i_deg": 181.0}, "i"),
        ({"m_deg": np.nan}, "M"),
    ],
)
def test_what_is_no_orbit_is_refused_by_field_and_name(change: dict[str, float], field: str) -> None:
    with pytest.raises(ElementsError, match=r"^2026 AB: .* expected ") as refused:
        OrbitBatch.from_keplerian(["2026 AB"], 61000.0, **(GOOD | change))
    assert refused.value.field == field


def test_a_batch_is_taken_and_joined_in_order() -> None:
    batch = OrbitBatch.from_keplerian(["a", "b", "c"], [1.0, 2.0, 3.0], **(GOOD | {"a_au": [1.0, 2.0, 3.0]}))
    joined = OrbitBatch.concatenate([batch.take([2]), batch.take([True, True, False])])
    assert joined.names == ("c", "a", "b")
    np.testing.assert_array_equal(joined.epoch_tdb_mjd, [3.0, 1.0, 2.0])
    assert np.isnan(joined.h_mag).all()
    assert (joined.g == 0.15).all()


HEADER = "designation,name,epoch_jd,a,e,i,node,peri,M,H,G,A1,A2,A3\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "elements.csv"
    path.write_text(text)
    return path


def test_a_csv_of_elements_is_read(tmp_path: Path) -> None:
    text = (
        HEADER
        + "433,Eros,2461200.5,1.458,0.2229,10.8,304.3,178.9,62.5,10.4,0.46,,,\n\nX,,2461000.5,2,0.1,1,2,3,4,,,,1e-14,\n"
    )
    batch = read_elements_csv(written(tmp_path, text))
    assert batch.names == ("433", "X")
    np.testing.assert_array_equal(batch.epoch_tdb_mjd, [61200.0, 61000.0])
    np.testing.assert_array_equal(batch.nongrav, [[0, 0, 0], [0, 1e-14, 0]])
    np.testing.assert_array_equal(batch.g, [0.46, 0.15])
    assert np.isnan(batch.h_mag[1])


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("", ElementsFileError, "lacks the columns designation, epoch_jd"),
        ("designation,epoch_jd,a,e,i,node,M\n", ElementsFileError, "lacks the column peri"),
        (HEADER, ElementsFileError, "no orbits"),
        (HEADER + "X,,2461000.5,2,0.1,1,2,3\n", ElementsFileError, "line 2: has 8 fields"),
        (HEADER + ",,2461000.5,2,0.1,1,2,3,4,,,,,\n", ElementsFileError, "designation is empty"),
        (HEADER + "X,,2461000.5,2,,1,2,3,4,,,,,\n", ElementsError, "X: e is empty: expected a number"),
        (HEADER + "X,,2461000.5,2,nan,1,2,3,4,,,,,\n", ElementsError, "X: e is nan"),
        (HEADER + "X,,2461000.5,2,0.1,1,2,3,four,,,,,\n", ElementsError, "X: M is 'four'"),
        (HEADER + "X,,61000.0,2,0.1,1,2,3,4,,,,,\n", ElementsError, "epoch_jd is 61000.0: expected a Julian date"),
        (HEADER + "X,,2461000.5,2,1.1,1,2,3,4,,,,,\n", ElementsError, "X: e is 1.1: expected e < 1 with a > 0"),
        (HEADER + "X,,2461000.5,2,0.1,1,2,3,4,bright,,,,\n", ElementsError, "X: H is 'bright'"),
    ],
)
def test_a_csv_that_is_wrong_says_where(tmp_path: Path, text: str, error: type[ValueError], says: str) -> None:
    with pytest.raises(error, match=says):
        read_elements_csv(written(tmp_path, text))


def test_a_missing_file_and_a_binary_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(ElementsFileError, match=r"absent\.csv"):
        read_elements_csv(tmp_path / "absent.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(ElementsFileError, match="not a CSV text file"):
        read_elements_csv(tmp_path / "binary.csv")
