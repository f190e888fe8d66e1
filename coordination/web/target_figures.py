"""The plots of a target: altitude, windows, path on the sky, and what changes with time."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

import numpy as np
from django.utils.translation import gettext as _

from coordination.visibility.almanac import almanacs, night_of
from coordination.visibility.models import VisibilityWindow
from observatories.models import Telescope
from targets.models import Ephemeris, Target
from targets.orbits.blocks import EphemerisBlocks
from targets.services.ephemerides import planets

from . import times
from .figures import THIRD, Figure, Table
from .local_axis import local_hours
from .night_bars import twilight
from .plots.altitude import Curve, Site, Words, draw_altitudes
from .plots.axes import NARROW, Key
from .plots.bars import Bar, Row, draw_bars
from .plots.bars import Words as BarWords
from .plots.panels import Panel, draw_panels
from .plots.skychart import SkyPoint, draw_sky
from .plots.svg import Drawing
from .sky import Instants, SkyPath, altitudes_deg, instants, sky_path

_HOUR, _DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
_ALTITUDE_STEP, _TABLE_STEP = dt.timedelta(minutes=10), dt.timedelta(minutes=30)
NIGHTS = 7


@dataclass(frozen=True)
class Subject:
    """A target with what its plots are drawn from; `address` is where their downloads are."""

    target: Target
    ephemeris: Ephemeris
    blocks: EphemerisBlocks
    windows: Sequence[VisibilityWindow]
    now: dt.datetime
    address: str

    def figures(self, chosen: Sequence[Telescope], asked: Sequence[str]) -> list[Figure]:
        found = [self.windows_figure()] if self.windows else []
        if chosen and self._covers(*self._night):
            query = urlencode([("telescope", pk) for pk in asked])
            found.insert(0, self.altitude_figure(chosen, query))
        if len(self._path.utc) > 1:
            found += [self.sky_figure(), self.quantities_figure()]
        return found

    def _covers(self, start: dt.datetime, end: dt.datetime) -> bool:
        return self.ephemeris.starts_at <= start and end <= self._last

    @property
    def _last(self) -> dt.datetime:
        """Until when there is something to see."""
        return min(self.ephemeris.ends_at, self.ephemeris.impact_at or self.ephemeris.ends_at)

    @property
    def _night(self) -> tuple[dt.datetime, dt.datetime]:
        """The 25 hours of the altitude plot."""
        start = self.now.replace(minute=0, second=0, microsecond=0)
        return start, start + 25 * _HOUR

    @cached_property
    def _path(self) -> SkyPath:
        """The coming days in steps of three hours, from midnight."""
        start = max(self.now.replace(hour=0, minute=0, second=0, microsecond=0), self.ephemeris.starts_at)
        return sky_path(self.blocks, instants(start, self._last, 3 * _HOUR))

    # --- altitude

    def altitude_figure(self, chosen: Sequence[Telescope], query: str) -> Figure:
        """Of at most six telescopes over the coming day."""
        utc = instants(*self._night, _ALTITUDE_STEP)
        places = [telescope.observatory.place for telescope in chosen]
        altitude = altitudes_deg(self.blocks, [place for place in places if place is not None], utc)
        curves = [
            Curve(_named(telescope), _short(telescope), utc, row.tolist(), self._windows_at(telescope))
            for telescope, row in zip(chosen, altitude, strict=True)
        ]
        site = self._site(chosen[0], utc) if len(chosen) == 1 else None
        words = Words(
            title=_("Altitude of %(target)s") % {"target": self.target},
            description=_("Altitude over UTC at %(sites)s. Thick where the target can be observed.")
            % {"sites": ", ".join(_named(each) for each in chosen)},
            unit=_("altitude (deg)"),
            now=_("now"),
            limit=_("least altitude"),
        )

        def draw(name: str, width: int) -> Drawing:
            return draw_altitudes(name, width, self._night, curves, self.now, words, site)

        return Figure("altitude", draw, self._altitude_table(chosen, utc, altitude), self.address + "altitude", query)

    def _altitude_table(self, chosen: Sequence[Telescope], utc: Instants, altitude: np.ndarray) -> Table:
        every = int(_TABLE_STEP / _ALTITUDE_STEP)
        rows = [
            (times.minute(at), *(f"{altitude[k, j]:.1f}" for k in range(len(chosen))))
            for j, at in list(enumerate(utc))[::every]
        ]
        columns = (_("Time (UTC)"), *(f"{_named(each)} (deg)" for each in chosen))
        return Table(columns, rows, _("Altitude without refraction"), frozenset(range(1, len(columns))))

    def _windows_at(self, telescope: Telescope) -> list[tuple[dt.datetime, dt.datetime]]:
        return [(each.starts_at, each.ends_at) for each in self.windows if each.telescope_id == telescope.pk]

    def _site(self, telescope: Telescope, utc: Instants) -> Site:
        place = telescope.observatory.place
        assert place is not None
        start, end = utc[0], utc[-1]
        first = night_of(place, start)
        nights = almanacs(place, first, (night_of(place, end) - first).days + 1, planets())
        behind = [overlay for sky in nights for overlay in twilight(sky) if overlay.start < end and overlay.end > start]
        bands = [(max(each.start, start), min(each.end, end), each.class_) for each in behind]
        zone = telescope.observatory.time_zone
        return Site(bands, telescope.altitude_min_deg, local_hours(start, end, zone), _("local time (%s)") % zone)

    # --- windows

    def windows_figure(self) -> Figure:
        """One row a telescope, from west to east, over the coming nights."""
        by_telescope: dict[int, list[VisibilityWindow]] = {}
        for window in self.windows:
            by_telescope.setdefault(window.telescope_id, []).append(window)
        groups = sorted(
            by_telescope.values(), key=lambda g: (g[0].telescope.observatory.longitude_deg or 0.0, g[0].telescope_id)
        )
        rows = [
            Row(
                _named(group[0].telescope),
                group[0].telescope.observatory.mpc_code or group[0].telescope.name,
                [Bar(w.starts_at, w.ends_at, "window", times.span(w.starts_at, w.ends_at)) for w in group],
            )
            for group in groups
        ]
        start = self.now.replace(minute=0, second=0, microsecond=0)
        words = BarWords(
            title=_("Windows of %(target)s") % {"target": self.target},
            description=_("When each of %(count)d telescopes can observe it in the coming %(nights)d days.")
            % {"count": len(rows), "nights": NIGHTS},
            now=_("now"),
        )

        def draw(name: str, width: int) -> Drawing:
            days = NIGHTS if width >= NARROW else 3
            keys = [Key("window", _("can observe"))]
            return draw_bars(name, width, (start, start + days * _DAY), rows, self.now, words, keys=keys)

        table_rows = [
            (
                _named(w.telescope), times.minute(w.starts_at), times.minute(w.ends_at),
                times.local(w.starts_at, w.telescope.observatory.time_zone), f"{w.duration_s / 60:.0f}",
                f"{w.peak_altitude_deg:.0f}", f"{w.v_mag:.1f}", f"{w.rate_arcsec_min:.2f}",
                f"{w.moon_separation_deg:.0f}",
            )
            for w in self.windows
        ]  # fmt: skip
        columns = (
            _("Telescope"), _("From"), _("To"), _("Begins at local time"), _("Length (min)"), _("Highest (deg)"),
            _("V (mag)"), _("Motion (arcsec/min)"), _("From the Moon (deg)"),
        )  # fmt: skip
        table = Table(columns, table_rows, words.title, frozenset(range(4, 9)))
        return Figure("windows", draw, table, self.address + "windows")

    # --- path

    def sky_figure(self) -> Figure:
        path = self._path
        points = [
            SkyPoint(at, float(ra), float(dec), f"{at:%m-%d}" if at.hour == 0 else "")
            for at, ra, dec in zip(path.utc, path.ra_deg, path.dec_deg, strict=True)
        ]
        title = _("Path of %(target)s on the sky") % {"target": self.target}
        description = _("From %(ra)s, %(dec)s to %(ra2)s, %(dec2)s; marks at 00:00 UTC.") % {
            "ra": _hours(points[0].ra_deg), "dec": _degrees(points[0].dec_deg),
            "ra2": _hours(points[-1].ra_deg), "dec2": _degrees(points[-1].dec_deg),
        }  # fmt: skip
        axes = (_("right ascension"), _("declination"))

        def draw(name: str, width: int) -> Drawing:
            return draw_sky(name, width, points, title, description, axes)

        rows = [(times.minute(p.utc), _hours(p.ra_deg), _degrees(p.dec_deg)) for p in points[::2]]
        columns = (_("Time (UTC)"), _("Right ascension"), _("Declination"))
        caption = _("Apparent geocentric place on the axes of the ICRF, rounded to a minute of arc")
        return Figure(
            "sky", draw, Table(columns, rows, caption, frozenset({1, 2})), self.address + "sky", wide_px=THIRD
        )

    # --- quantities

    def quantities_figure(self) -> Figure:
        path, first = self._path, self.ephemeris.starts_at.astimezone(dt.UTC).replace(hour=0, minute=0)
        major = self.ephemeris.sigma_major_arcsec or []
        days = [
            (first + k * _DAY, value) for k, value in enumerate(major) if path.utc[0] <= first + k * _DAY <= self._last
        ]
        panels = [
            Panel(_("V (mag)"), path.utc, path.v_mag.tolist(), reversed=True),
            Panel(_("distance (au)"), path.utc, path.distance_au.tolist()),
            Panel(_("motion (arcsec/min)"), path.utc, path.rate_arcsec_min.tolist()),
            Panel(
                _("uncertainty (arcsec, 1-sigma)"), [at for at, _value in days], [value for _at, value in days],
                logarithmic=True,
            ),
        ]  # fmt: skip
        title = _("Brightness, distance, motion and uncertainty of %(target)s") % {"target": self.target}
        description = _("From the Earth's centre: V %(v1).1f to %(v2).1f mag, distance %(d1).3f to %(d2).3f au.") % {
            "v1": path.v_mag[0], "v2": path.v_mag[-1], "d1": path.distance_au[0], "d2": path.distance_au[-1],
        }  # fmt: skip

        def draw(name: str, width: int) -> Drawing:
            span = path.utc[0], path.utc[-1]
            return draw_panels(name, width, span, panels, self.now, title, description, _("now"))

        by_day = dict(days)
        rows = [
            (
                times.minute(at), f"{path.v_mag[k]:.2f}", f"{path.distance_au[k]:.5f}", f"{path.phase_deg[k]:.1f}",
                f"{path.rate_arcsec_min[k]:.3f}", f"{by_day[at]:.2f}" if at in by_day else "–",
            )
            for k, at in enumerate(path.utc)
            if at.hour == 0
        ]  # fmt: skip
        columns = (
            _("Time (UTC)"), _("V (mag)"), _("Distance (au)"), _("Phase (deg)"), _("Motion (arcsec/min)"),
            _("Uncertainty (arcsec, 1-sigma)"),
        )  # fmt: skip
        table = Table(columns, rows, _("Seen from the Earth's centre"), frozenset(range(1, 6)))
        return Figure("quantities", draw, table, self.address + "quantities")


def _named(telescope: Telescope) -> str:
    code = telescope.observatory.mpc_code
    return f"{code} {telescope.name}" if code and code not in telescope.name else telescope.name


def _short(telescope: Telescope) -> str:
    return telescope.observatory.mpc_code or telescope.name[:14]


def _hours(ra_deg: float) -> str:
    minutes = round(ra_deg * 4.0 * 10) % 14400 / 10.0
    return f"{int(minutes // 60):02d}h {minutes % 60:04.1f}m"


def _degrees(dec_deg: float) -> str:
    minutes = round(abs(dec_deg) * 60.0)
    return f"{'−' if dec_deg < 0 else '+'}{minutes // 60:02d}° {minutes % 60:02d}′"
