"""Drawings: what stands alone needs nothing else, maps and axes put things where they belong."""

import datetime as dt
import itertools
import math
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordination.web.local_axis import local_hours
from coordination.web.plots.axes import Key, legend
from coordination.web.plots.bars import Bar, Row, Words, draw_bars
from coordination.web.plots.scales import Linear, Time, nice_step
from coordination.web.plots.svg import path_data
from coordination.web.plots.worldmap import Marker, WorldMap, _cap, project

NOON = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def bars(width=1040, label="Kleť & friends <1 m>"):
    rows = [Row(label, "246", [Bar(NOON + HOUR, NOON + 3 * HOUR, "window", "tip")])]
    return draw_bars("plot", width, (NOON, NOON + 24 * HOUR), rows, NOON + 2 * HOUR, Words("Title", "About", "now"))


def test_a_drawing_says_what_it_shows_and_escapes_names():
    root = ET.fromstring(bars().inline())
    assert root.get("role") == "img"
    assert root[0].text == "Title"
    assert root.get("aria-labelledby") == root[0].get("id")
    assert any(element.text == "Kleť & friends <1 m>" for element in root.iter())


def test_a_drawing_alone_carries_its_own_colours():
    alone = bars().standalone()
    ET.fromstring(alone.partition("\n")[2])
    assert "var(" not in alone
    assert "light-dark" not in alone
    assert re.search(r"\.plot \.window *{ *fill: #[0-9a-f]{6}", alone)
    assert "http" not in alone.replace("http://www.w3.org/2000/svg", "")


def test_a_drawing_becomes_a_png_of_twice_its_size():
    drawing = bars()
    png = drawing.png()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(png[16:20]), int.from_bytes(png[20:24])) == (2 * drawing.width, 2 * drawing.height)


def test_bars_lie_at_their_times():
    root = ET.fromstring(bars().inline())
    (bar,) = [each for each in root.iter() if each.get("class") == "window"]
    (frame,) = [each for each in root.iter() if each.get("class") == "frame"]
    left, wide = float(frame.get("x")), float(frame.get("width"))
    assert float(bar.get("x")) == pytest.approx(left + wide / 24, abs=0.2)
    assert float(bar.get("width")) == pytest.approx(wide * 2 / 24, abs=0.2)


def test_a_narrow_drawing_takes_the_short_names():
    assert ">246<" in bars(344).inline()
    assert "friends" not in bars(344).inline()


@given(st.floats(-180, 180), st.floats(-90, 90))
def test_the_projection_is_symmetric_and_inside_the_map(lon, lat):
    board = WorldMap("m", 1000.0)
    x, y = board.at(lon, lat)
    assert -0.01 <= x <= 1000.01
    assert -0.01 <= y <= board.height + 0.01
    assert project(-lon, -lat) == pytest.approx([-each for each in project(lon, lat)])


def test_the_projection_has_equal_areas():
    def area(south, north):
        lats = [south + (north - south) * k / 400 for k in range(401)]
        ends = [project(1.0, lat) for lat in lats]
        return sum((a[0] + b[0]) / 2 * (b[1] - a[1]) for a, b in itertools.pairwise(ends))

    share = area(60, 80) / area(0, 20)
    assert share == pytest.approx(
        (math.sin(math.radians(80)) - math.sin(math.radians(60))) / math.sin(math.radians(20)), rel=1e-4
    )


@given(st.floats(-179, 179), st.floats(-66, 66), st.floats(60, 90))
def test_the_edge_of_the_night_is_everywhere_at_its_distance(lon, lat, radius):
    for x, y in _cap((lon, lat), radius):
        if abs(y) == 90.0:
            continue  # closed along the pole
        cosine = math.sin(math.radians(y)) * math.sin(math.radians(lat)) + math.cos(math.radians(y)) * math.cos(
            math.radians(lat)
        ) * math.cos(math.radians(x - lon))
        assert math.degrees(math.acos(max(-1.0, min(1.0, cosine)))) == pytest.approx(radius, abs=1e-4)


def test_labels_of_places_on_one_mountain_do_not_overlap():
    board = WorldMap("m", 1000.0)
    markers = [Marker(-70.7, -30.2, "seat open", "", label=name) for name in ("W85", "W86", "W87", "X05", "W68")]
    found = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"', board.markers(markers))
    assert len(found) >= 3
    assert len(set(found)) == len(found)


@given(st.floats(1e-6, 1e6))
def test_steps_are_round(rough):
    step = nice_step(rough)
    assert rough * 0.999 <= step <= rough * 10
    mantissa = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(mantissa - each) for each in (1, 2, 5, 10)) < 1e-6


def test_ticks_of_time_are_full_hours_far_enough_apart():
    scale = Time(NOON + 0.4 * HOUR, NOON + 25 * HOUR, 0.0, 600.0)
    ticks = scale.ticks(60.0)
    assert all(tick.minute == 0 for tick in ticks)
    assert all(scale(b) - scale(a) >= 60.0 for a, b in itertools.pairwise(ticks))
    assert Linear(0, 90, 0, 1).ticks(6) == [0, 20, 40, 60, 80]


def test_local_hours_are_those_of_the_clocks_there():
    hours = local_hours(NOON, NOON + 2 * HOUR, "Asia/Kolkata")  # half an hour off the full hours of UTC
    assert [label for _at, label in hours] == ["18:00", "19:00"]
    assert hours[0][0] == NOON + 0.5 * HOUR
    assert local_hours(NOON, NOON + HOUR, "Moon/Tycho") == []


def test_a_legend_goes_on_in_the_next_line():
    keys = [Key("window", "a rather long explanation")] * 3
    assert legend(keys, 0, 0, 1000)[1] < legend(keys, 0, 0, 250)[1]


def test_paths_are_relative_without_drift():
    numbers = [(k * 0.123, k * 0.077) for k in range(1000)]
    steps = path_data(numbers).partition("l")[2].split(" ")
    assert sum(map(float, steps[::2])) == pytest.approx(numbers[-1][0], abs=0.051)
