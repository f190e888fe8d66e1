"""From values to pixels, and the round values at which an axis is marked."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

_HOURS = (1, 2, 3, 4, 6, 12, 24, 48, 96, 168)
_EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
DAY_S = 86400.0


@dataclass(frozen=True)
class Linear:
    """Values from `low` to `high` on pixels from `start` to `end`, which may run backwards."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, about: int = 5) -> list[float]:
        """About so many round values in the range."""
        step = nice_step((self.high - self.low) / max(about, 1))
        first = math.ceil(self.low / step - 1e-9)
        return [k * step for k in range(first, math.floor(self.high / step + 1e-9) + 1)]


@dataclass(frozen=True)
class Time:
    """Aware UTC from `low` to `high` on pixels from `start` to `end`."""

    low: dt.datetime
    high: dt.datetime
    start: float
    end: float

    def __call__(self, instant: dt.datetime) -> float:
        part = (instant - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)

    def clamped(self, instant: dt.datetime) -> float:
        """The pixel of an instant, of the nearer end for one outside."""
        return self(min(max(instant, self.low), self.high))

    def ticks(self, spacing: float) -> list[dt.datetime]:
        """Full hours (or days) at least `spacing` pixels apart."""
        hours = (self.high - self.low).total_seconds() / 3600.0
        most = max(1.0, abs(self.end - self.start) / spacing)
        step = next((h for h in _HOURS if hours / h <= most), _HOURS[-1])
        length = dt.timedelta(hours=step)
        number = -((_EPOCH - self.low) // length)  # rounds up
        found = []
        while (instant := _EPOCH + number * length) <= self.high:
            found.append(instant)
            number += 1
        return found

    def midnights(self) -> list[dt.datetime]:
        """00:00 UTC of every day inside."""
        day = self.low.replace(hour=0, minute=0, second=0, microsecond=0)
        days = []
        while day <= self.high:
            if day >= self.low:
                days.append(day)
            day += dt.timedelta(days=1)
        return days


def nice_step(rough: float) -> float:
    """1, 2 or 5 times a power of ten, not below `rough`."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= rough * (1 - 1e-9))


def padded(low: float, high: float, least: float = 0.0) -> tuple[float, float]:
    """A range with a margin of a twentieth, at least `least` wide."""
    width = max(high - low, least, 1e-9 * max(abs(low), abs(high), 1.0))
    middle = 0.5 * (low + high)
    return middle - 0.55 * width, middle + 0.55 * width


def decimals(step: float) -> int:
    """How many decimals marks that far apart need."""
    return max(0, -math.floor(math.log10(step) + 1e-9))
