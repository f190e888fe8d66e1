"""The rows of the command `joint_windows`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np

from coordination.common.timescales import iso_utc
from coordination.visibility.joint_results import Final, Gap, JointWindow, Leg, RelayChain, Sample, Segment
from coordination.visibility.rows import Column

_AT = ("start", "middle", "end")


def joint_columns(found: Sequence[tuple[str, Sequence[JointWindow]]], names: Sequence[str]) -> list[Column]:
    """Three rows (start, middle, end) for each segment of each joint window of targets (name, joint windows);
    telescopes are called by `names`.
    """
    rows: list[tuple[str, JointWindow, Segment, int]] = [
        (name, window, segment, k)
        for name, windows in found
        for window in windows
        for segment in window.segments
        for k in range(len(_AT))
    ]
    samples = [segment.samples[k] for _, _, segment, k in rows]
    return [
        Column.text("name", [name for name, _, _, _ in rows]),
        _instants("start_utc", [window.starts_at for _, window, _, _ in rows]),
        _instants("end_utc", [window.ends_at for _, window, _, _ in rows]),
        _instants("segment_start_utc", [segment.starts_at for _, _, segment, _ in rows]),
        _instants("segment_end_utc", [segment.ends_at for _, _, segment, _ in rows]),
        Column.text("telescopes", [" ".join(names[k] for k in segment.telescope_ids) for _, _, segment, _ in rows]),
        Column.text("sites", [str(len(segment.sites)) for _, _, segment, _ in rows]),
        Column.numbers("longitude_spread_deg", [segment.longitude_spread_deg for _, _, segment, _ in rows], 3),
        Column.text("at", [_AT[k] for _, _, _, k in rows]),
        _instants("at_utc", [sample.at for sample in samples]),
        Column.text("baseline", [_pair(sample, names) for sample in samples]),
        _numbers("baseline_km", [sample.baseline_km for sample in samples], 3),
        _numbers("distance_au", [sample.distance_au for sample in samples], 8),
        _numbers("parallax_arcsec", [sample.parallax_arcsec for sample in samples], 4),
        _numbers("range_error_fraction", [sample.range_error_fraction for sample in samples], 8),
        _numbers("range_error_km", [sample.range_error_km for sample in samples], 3),
        _numbers("min_alt_deg", [sample.min_altitude_deg for sample in samples], 4),
        _numbers("v_mag", [sample.v_mag for sample in samples], 3),
        _numbers("v_margin_mag", [sample.v_margin_mag for sample in samples], 3),
        Column.text("fits_fields", [_truth(sample.fits_fields) for sample in samples]),
    ]


def relay_columns(found: Sequence[tuple[str, RelayChain]], names: Sequence[str]) -> list[Column]:
    """Legs and gaps of the relays of targets in order of time; what is true of a whole relay stands in each of its
    rows.
    """
    rows: list[tuple[str, RelayChain, Leg | Gap]] = [
        (name, chain, part)
        for name, chain in found
        for part in sorted(_parts(chain), key=lambda part: (part.starts_at, part.ends_at))
    ]
    parts = [part for _, _, part in rows]
    legs = [part if isinstance(part, Leg) else None for part in parts]
    gaps = [part if isinstance(part, Gap) else None for part in parts]
    return [
        Column.text("name", [name for name, _, _ in rows]),
        Column.text("part", ["gap" if leg is None else "leg" for leg in legs]),
        Column.text("telescope", ["" if leg is None else names[leg.telescope_id] for leg in legs]),
        _instants("start_utc", [part.starts_at for part in parts]),
        _instants("end_utc", [part.ends_at for part in parts]),
        _numbers("minutes", [(part.ends_at - part.starts_at).total_seconds() / 60.0 for part in parts], 2),
        Column.text("handed_on", ["" if leg is None else leg.handed_on for leg in legs]),
        _numbers("max_alt_deg", [None if leg is None else leg.peak_altitude_deg for leg in legs], 4),
        _numbers("v_mag", [None if leg is None else leg.v_mag for leg in legs], 3),
        Column.text("fillers", ["" if gap is None else _fillers(gap) for gap in gaps]),
        _numbers("coverage_h", [chain.coverage_h for _, chain, _ in rows], 4),
        _numbers("covered_fraction", [chain.covered_fraction for _, chain, _ in rows], 6),
        _numbers("rotation_fraction", [chain.rotation_fraction for _, chain, _ in rows], 6),
    ]


def last_chance_columns(found: Sequence[tuple[str, Sequence[Final]]], names: Sequence[str]) -> list[Column]:
    """One row for each target and telescope."""
    rows = [(name, final) for name, finals in found for final in finals]
    finals = [final for _, final in rows]
    return [
        Column.text("name", [name for name, _ in rows]),
        Column.text("telescope", [names[final.telescope_id] for final in finals]),
        Column.text("night", [_date(final.night) for final in finals]),
        _instants("start_utc", [final.starts_at for final in finals]),
        _instants("end_utc", [final.ends_at for final in finals]),
        Column.text("opened_by", [final.opened_by for final in finals]),
        Column.text("closed_by", [final.closed_by for final in finals]),
        Column.text("lost", [final.lost for final in finals]),
        Column.text("lost_on", [_date(final.lost_on) for final in finals]),
        Column.text("reasons", [" ".join(final.reasons) for final in finals]),
        Column.text("detail", [final.detail for final in finals]),
    ]


def _parts(chain: RelayChain) -> list[Leg | Gap]:
    return [*chain.legs, *chain.gaps]


def _instants(name: str, values: Sequence[dt.datetime | None]) -> Column:
    texts = ["" if value is None else str(iso_utc(np.datetime64(value.replace(tzinfo=None), "us"))) for value in values]
    return Column.text(name, texts)


def _numbers(name: str, values: Sequence[float | None], decimals: int) -> Column:
    return Column.numbers(name, [float("nan") if value is None else value for value in values], decimals)


def _pair(sample: Sample, names: Sequence[str]) -> str:
    pair = sample.baseline_telescopes
    return "" if pair is None else f"{names[pair[0]]} {names[pair[1]]}"


def _fillers(gap: Gap) -> str:
    return "; ".join(f"{filler.who.name} {filler.minutes:.2f} min" for filler in gap.fillers)


def _date(value: dt.date | None) -> str:
    return "" if value is None else value.isoformat()


def _truth(value: Any) -> Any:
    return "" if value is None else value
