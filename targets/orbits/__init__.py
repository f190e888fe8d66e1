"""Orbits of small bodies: elements, planets, n-body propagation, photometry, ephemerides. Pure numpy, no
Django, no network.

Frames: ICRF axes everywhere; heliocentric where elements are meant, barycentric where motion is. Units: au,
days, radians inside, degrees in names that say so. Times: MJD as float64 with the scale in the name; orbits
work in TDB.
"""
