"""Files of elements in their three forms: a and M, q and tp_jd, Cartesian states."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from targets.orbits.elements import ElementsError, cometary_to_state, keplerian_to_state
from targets.orbits.elements_csv import ElementsFileError, read_elements_csv, stored_in
from targets.sources.files import read_file
from targets.sources.records import TargetRecord

COMETARY = "designation,name,epoch_jd,q,e,i,node,peri,tp_jd,H,G,A1,A2,A3\n"
STATE = "designation,epoch_jd,x,y,z,vx,vy,vz,H\n"
BORISOV = "2I,Borisov,2458853.5,2.0066,3.3567,44.05,308.15,209.12,2458826.05,,,,,"


def written(folder: Path, text: str) -> Path:
    path = folder / "elements.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize("e", [0.0, 0.4, 1.0, 1.2])
def test_perihelion_and_its_time_in_place_of_a_and_m(tmp_path: Path, e: float) -> None:
    batch = read_elements_csv(written(tmp_path, f"{COMETARY}X,,2461000.5,0.9,{e},10,20,30,2461040.25,12,,1e-9,,\n"))
    np.testing.assert_array_equal(batch.state, cometary_to_state(0.9, e, 10, 20, 30, 61039.75, 61000.0))
    np.testing.assert_array_equal(batch.epoch_tdb_mjd, [61000.0])
    assert (batch.h_mag[0], batch.g[0], batch.nongrav[0, 0]) == (12.0, 0.15, 1e-9)


def test_states_are_taken_as_they_are(tmp_path: Path) -> None:
    state = [1.1, -0.2, 0.3, 0.001, 0.016, -0.002]
    batch = read_elements_csv(written(tmp_path, f"{STATE}X,2461000.5,{','.join(map(str, state))},20.5\n"))
    np.testing.assert_array_equal(batch.state, [state])
    assert batch.h_mag[0] == 20.5


def test_a_row_is_read_in_the_form_whose_cells_it_fills(tmp_path: Path) -> None:
    header = "designation,epoch_jd,a,e,i,node,peri,M,q,tp_jd\n"
    rows = "A,2461000.5,2,0.1,1,2,3,4,,\nB,2461000.5,,1,1,2,3,,0.9,2461040.5\nC,2461000.5,3,0.1,1,2,3,4,,\n"
    batch = read_elements_csv(written(tmp_path, header + rows))
    assert batch.names == ("A", "B", "C")
    expected = [
        keplerian_to_state(2, 0.1, 1, 2, 3, 4)[0],
        cometary_to_state(0.9, 1, 1, 2, 3, 61040, 61000)[0],
        keplerian_to_state(3, 0.1, 1, 2, 3, 4)[0],
    ]
    np.testing.assert_array_equal(batch.state, expected)


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        (COMETARY.replace("tp_jd,", ""), ElementsFileError, "lacks the column tp_jd: expected designation"),
        (COMETARY.replace("q,", ""), ElementsFileError, "lacks the column q: .* or q and tp_jd in place of a and M"),
        (COMETARY.replace("e,i,node", "i,node"), ElementsFileError, "lacks the column e: "),
        (STATE.replace("vy,", ""), ElementsFileError, "lacks the column vy: .* or x,y,z,vx,vy,vz"),
        (STATE.replace("epoch_jd,", ""), ElementsFileError, "lacks the column epoch_jd: "),
        (COMETARY + "X,,2461000.5,-0.9,1,1,2,3,2461040.5,,,,,\n", ElementsError, "X: q is -0.9: expected a perihelion"),
        (COMETARY + "X,,2461000.5,0.9,1,1,2,3,61040.5,,,,,\n", ElementsError, "X: tp_jd is 61040.5: expected a Julian"),
        (COMETARY + "X,,2461000.5,0.9,1,1,2,3,,,,,,\n", ElementsError, "X: tp_jd is empty"),
        (COMETARY + "X,,2461000.5,0.9,1,191,2,3,2461040.5,,,,,\n", ElementsError, "X: i is 191"),
        (STATE + "X,2461000.5,1,0,0,nan,0,0,\n", ElementsError, "X: vx is nan"),
        (STATE + "X,2461000.5,0,0,0,0,1,0,\n", ElementsError, "X: x, y, z is 0, 0, 0"),
    ],
)
def test_what_is_missing_or_wrong_is_named(tmp_path: Path, text: str, error: type[ValueError], says: str) -> None:
    with pytest.raises(error, match=says):
        read_elements_csv(written(tmp_path, text))


@example(q=4.4, e=1.3e-14, i=118.0, since=171.0)  # rounding is a hundredth of such an eccentricity
@given(st.floats(0.1, 5.0), st.floats(0.0, 3.0), st.floats(0.1, 179.0), st.floats(-400.0, 400.0))
def test_what_can_be_stored_is_the_same_orbit(q: float, e: float, i: float, since: float) -> None:
    row = {"designation": "X", "epoch_jd": "2461000.5", "node": "20", "peri": "30"}
    row |= {"q": repr(q), "e": repr(e), "i": repr(i), "tp_jd": repr(2461000.5 - since)}
    expected = cometary_to_state(q, e, i, 20.0, 30.0, 61000.0 - since, 61000.0)
    if abs(1.0 - e) < 1e-3:
        return
    numbers = stored_in(row)
    stored = keplerian_to_state(*(numbers[field] for field in ("a", "e", "i", "node", "peri", "M")))
    np.testing.assert_allclose(stored, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("e", ["1.0", "0.999999999999"])
def test_parabolas_are_imported_with_perihelion_and_its_time(tmp_path: Path, e: str) -> None:
    parabola = BORISOV.replace("2I,Borisov", "C/2020 H3,").replace("3.3567", e)
    (record, parabolic) = read_file(written(tmp_path, f"{COMETARY}{BORISOV}\n{parabola}\n")).parse()
    assert isinstance(record, TargetRecord)
    assert (record.orbit.a_au, record.orbit.e) == (pytest.approx(2.0066 / (1.0 - 3.3567)), 3.3567)
    assert isinstance(parabolic, TargetRecord)
    orbit = parabolic.orbit
    assert (orbit.a_au, orbit.mean_anomaly_deg, orbit.e, orbit.q_au) == (None, None, float(e), 2.0066)
    assert orbit.tp_tdb_jd == 2458826.0 or orbit.tp_tdb_jd > 2_458_000.0


def test_brightness_of_several_systems_is_read(tmp_path: Path) -> None:
    header = "designation,epoch_jd,a,e,i,node,peri,M,H,G,H_sigma,G1,G2,G12,M1,K1\n"
    orbit = ",2461000.5,1.5,0.3,10,20,30,40,"
    rows = [f"A{orbit}18,0.2,0.3,,,,,", f"B{orbit}18,,,0.3,0.4,,,", f"C{orbit}18,,,,,0.5,,", f"D{orbit},,,,,,9,12"]
    batch = read_elements_csv(written(tmp_path, header + "\n".join(rows) + "\n"))
    np.testing.assert_array_equal(batch.h_mag, [18.0, 18.0, 18.0, 9.0])
    np.testing.assert_array_equal(batch.h_sigma_mag, [0.3, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(batch.k1, [np.nan, np.nan, np.nan, 12.0])
    slopes = batch.slopes
    np.testing.assert_array_equal(slopes["g"], [0.2, np.nan, np.nan, np.nan])
    np.testing.assert_allclose(slopes["g1"], [np.nan, 0.3, 0.9529 * 0.5 + 0.02162, np.nan])


def test_an_error_of_h_below_zero_is_refused(tmp_path: Path) -> None:
    text = "designation,epoch_jd,a,e,i,node,peri,M,H,H_sigma\nX,2461000.5,1.5,0.3,10,20,30,40,18,-0.1\n"
    with pytest.raises(ElementsError, match=r"X: H_sigma is -0\.1: expected 0 mag or more"):
        read_elements_csv(written(tmp_path, text))
