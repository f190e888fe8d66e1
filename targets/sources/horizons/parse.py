"""JPL Horizons (`horizons.api` 1.x): observer tables and vectors, from between `$$SOE` and `$$EOE`."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Header:
    """What was computed, and from which solution."""

    body: str  # such as "99942 Apophis (2004 MN4)"
    designations: tuple[str, ...]
    solution: str  # source of the body, such as "JPL#220"
    center: str
    site: str
    has_covariance: bool


@dataclass(frozen=True)
class ObserverTable:
    """Airless astrometric places, one a row; arrays (n,), NaN where Horizons has "n.a.". Sigmas are 1-sigma here."""

    header: Header
    times: tuple[dt.datetime, ...]  # UTC
    ra_deg: FloatArray
    dec_deg: FloatArray
    ra_rate_arcsec_h: FloatArray  # times cos(dec)
    dec_rate_arcsec_h: FloatArray
    azimuth_deg: FloatArray
    altitude_deg: FloatArray
    v_mag: FloatArray
    r_au: FloatArray
    delta_au: FloatArray
    elongation_deg: FloatArray
    phase_deg: FloatArray
    ra_sigma_arcsec: FloatArray
    dec_sigma_arcsec: FloatArray


@dataclass(frozen=True)
class VectorTable:
    """States, ICRF unless the header of the reply says otherwise (that is refused); arrays (n,) and (n, 3)."""

    header: Header
    tdb_jd: FloatArray
    position_au: FloatArray
    velocity_au_d: FloatArray
