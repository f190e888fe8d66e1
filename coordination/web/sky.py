"""Figures of plots from the stored positions of a target: its path on the sky, and its altitude at telescopes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordination.common.timescales import utc_to_tt_mjd
from observatories.sites.earth_orientation import EarthOrientation
from observatories.sites.geodesy import Place
from observatories.sites.station import Stations
from observatories.sites.sun_moon import altitude_sine
from targets.models import Ephemeris
from targets.orbits.blocks import EphemerisBlocks
from targets.orbits.frames import cio_matrices

FloatArray = NDArray[np.float64]
Instants = list[dt.datetime]


@dataclass(frozen=True)
class SkyPath:
    """A target seen from the Earth's centre at instants (n_t): apparent place on the axes of the ICRF."""

    utc: Instants
    ra_deg: FloatArray
    dec_deg: FloatArray
    distance_au: FloatArray
    v_mag: FloatArray
    phase_deg: FloatArray
    rate_arcsec_min: FloatArray


def instants(start: dt.datetime, end: dt.datetime, step: dt.timedelta) -> Instants:
    """From start, every step, to the last that is not after the end."""
    return [start + k * step for k in range(int((end - start) / step) + 1)]


def blocks_of(ephemeris: Ephemeris | None) -> EphemerisBlocks | None:
    """The stored positions; None where the target stays too faint for any telescope, or nothing is stored."""
    if ephemeris is None or ephemeris.blocks is None:
        return None
    return EphemerisBlocks.from_bytes(bytes(ephemeris.blocks))


def sky_path(blocks: EphemerisBlocks, utc: Instants) -> SkyPath:
    """Raises ValueError for instants outside the stored span."""
    tt = _tt(utc)
    half = 5.0 / 1440.0  # the motion is that of ten minutes around
    ahead, back = (np.clip(tt + sign * half, blocks.start_tt_mjd, blocks.end_tt_mjd) for sign in (1, -1))
    cirs, distance, v_mag, phase = blocks.evaluate(tt)
    direction, later, earlier = (_icrf(vectors, at) for vectors, at in (
        (cirs[0], tt), (blocks.evaluate(ahead)[0][0], ahead), (blocks.evaluate(back)[0][0], back),
    ))  # fmt: skip
    moved = np.arctan2(np.linalg.norm(np.cross(earlier, later), axis=1), np.sum(earlier * later, axis=1))
    x, y, z = direction.T
    return SkyPath(
        utc=utc,
        ra_deg=np.degrees(np.arctan2(y, x)) % 360.0,
        dec_deg=np.degrees(np.arcsin(np.clip(z, -1.0, 1.0))),
        distance_au=distance[0],
        v_mag=v_mag[0],
        phase_deg=np.degrees(phase[0]),
        rate_arcsec_min=np.degrees(moved) * 3600.0 / ((ahead - back) * 1440.0),
    )


def altitudes_deg(blocks: EphemerisBlocks, places: Sequence[Place], utc: Instants) -> FloatArray:
    """Airless altitude (places, instants) of a target. Raises ValueError for instants outside the stored span."""
    tt = _tt(utc)
    stations = Stations(places, EarthOrientation.from_astropy())
    which, count = np.repeat(np.arange(len(places)), tt.size), len(places)
    sine = altitude_sine(stations, which, np.tile(blocks.evaluate(tt)[0][0].T, count), np.tile(tt, count))
    return np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0))).reshape(count, tt.size)


def _icrf(cirs: FloatArray, tt: FloatArray) -> FloatArray:
    turned = np.einsum("tji,tj->ti", cio_matrices(tt), cirs)
    return np.asarray(turned / np.linalg.norm(turned, axis=1, keepdims=True))


def _tt(utc: Instants) -> FloatArray:
    naive = np.array([each.astimezone(dt.UTC).replace(tzinfo=None) for each in utc], dtype="datetime64[us]")
    return np.asarray(utc_to_tt_mjd(naive))
