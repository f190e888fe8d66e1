"""Horizon masks as tables: two columns, azimuth and altitude in degrees, as observatories keep them."""

import csv
import io
from collections.abc import Sequence

from .sites.horizon import HorizonError, HorizonMask

MOST_ROWS = 3600


def read_table(text: str) -> list[list[float]]:
    """[azimuth, altitude] pairs by azimuth. Commas, semicolons, tabs or blanks between the two; a heading in the first
    line, empty lines and lines from # on are skipped. Raises HorizonError that names the line.
    """
    pairs: list[tuple[float, float]] = []
    lines: dict[float, int] = {}
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        cells = _cells(line)
        if len(cells) != 2:
            found = f"{len(cells)} column" + ("" if len(cells) == 1 else "s")
            raise HorizonError(f"line {number} has {found}: expected azimuth and altitude, two numbers in degrees")
        values = [_number(cell) for cell in cells]
        if None in values:
            if not pairs and number == _first_line(text) and values == [None, None]:
                continue  # a heading
            wrong = next(cell for cell, value in zip(cells, values, strict=True) if value is None)
            raise HorizonError(f"line {number}: {wrong!r} is no number of degrees")
        azimuth, altitude = (float(value) for value in values if value is not None)
        if not 0.0 <= azimuth <= 360.0 or not -90.0 <= altitude <= 90.0:
            raise HorizonError(f"line {number}: azimuths are 0 to 360 deg, altitudes -90 to 90 deg")
        if azimuth % 360.0 in lines:
            raise HorizonError(f"line {number}: azimuth {azimuth:g} is on line {lines[azimuth % 360.0]} already")
        lines[azimuth % 360.0] = number
        pairs.append((azimuth, altitude))
        if len(pairs) > MOST_ROWS:
            raise HorizonError(f"line {number}: more than {MOST_ROWS} points")
    mask = HorizonMask.from_points(pairs)
    return [list(pair) for pair in zip(mask.azimuth_deg.tolist(), mask.altitude_deg.tolist(), strict=True)]


def write_table(points: Sequence[Sequence[float]] | None) -> str:
    """One point a line, as `read_table` takes it."""
    return "".join(f"{azimuth:g}, {altitude:g}\n" for azimuth, altitude in points or ())


def _first_line(text: str) -> int:
    lines = text.lstrip("\ufeff").splitlines()
    return next((k for k, line in enumerate(lines, start=1) if line.partition("#")[0].strip()), 0)


def _cells(line: str) -> list[str]:
    for separator in (";", "\t", ","):
        if separator in line:
            return [cell.strip() for cell in next(csv.reader(io.StringIO(line), delimiter=separator))]
    return line.split()


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if value == value and abs(value) != float("inf") else None
