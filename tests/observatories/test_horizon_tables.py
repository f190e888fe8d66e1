"""Horizon masks read from the tables that observatories keep."""

import pytest

from observatories.horizon_tables import read_table, write_table
from observatories.sites.horizon import HorizonError


@pytest.mark.parametrize(
    "text",
    [
        "90,22\n0,15\n",
        "azimuth_deg,altitude_deg\n0,15\n90,22\n",
        "\ufeff# dome of 2024\r\nAz;Alt\r\n0;15\r\n90;22\r\n",
        "0 15 # north\n\n90\t22\n",
        "360, 15\n90, 22",
    ],
)
def test_the_same_mask_in_many_forms(text):
    assert read_table(text) == [[0.0, 15.0], [90.0, 22.0]]
    assert read_table(write_table(read_table(text))) == read_table(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("az,alt\n0,15\n90,22,7\n", "line 3 has 3 columns"),
        ("0\n90\n", "line 1 has 1 column:"),
        ("0,15\n90,high\n", "line 2: 'high' is no number"),
        ("az,alt\naz,alt\n", "line 2: 'az' is no number"),
        ("0,15\n\n400,2\n", "line 3: azimuths are 0 to 360"),
        ("0,15\n360,2\n", "line 2: azimuth 360 is on line 1 already"),
        ("0,nan\n", "line 1: 'nan' is no number"),
        ("az,alt\n", "at least one point"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text, told):
    with pytest.raises(HorizonError, match=told):
        read_table(text)
