"""The providers that the service asks, and how current each is."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from . import clock
from .models import QuarantinedReply, SourceState


@dataclass(frozen=True)
class Source:
    """A provider under the name that its errors carry. Its data are stale when it answered longer ago than
    `fresh_for`; that is an alarm, and they stay in use.
    """

    name: str
    title: str
    fresh_for: dt.timedelta


@dataclass(frozen=True)
class Status:
    """How it stands with a provider now; `age` is since its last answer, None before the first."""

    source: Source
    state: SourceState
    age: dt.timedelta | None
    quarantined: int

    @property
    def is_stale(self) -> bool:
        return self.age is None or self.age > self.source.fresh_for

    def as_public(self) -> dict[str, Any]:
        """What everybody may read: no texts of errors, which may name objects that are not for the public."""
        state = self.state
        return {
            "title": self.source.title,
            "last_success_at": _text(state.last_success_at),
            "age_s": None if self.age is None else round(self.age.total_seconds()),
            "fresh_for_s": round(self.source.fresh_for.total_seconds()),
            "is_stale": self.is_stale,
            "last_error_at": _text(state.last_error_at),
            "last_error": state.last_error_kind,
            "breaker": state.breaker,
            "open_until": _text(state.open_until),
            "quarantined": self.quarantined,
        }


_sources: dict[str, Source] = {}


def register(name: str, title: str, fresh_for: dt.timedelta) -> None:
    _sources[name] = Source(name, title, fresh_for)


def ensure_rows() -> None:
    """Let the administration list providers that were never asked, too."""
    missing = set(_sources) - set(SourceState.objects.values_list("pk", flat=True))
    SourceState.objects.bulk_create([SourceState(source=name) for name in sorted(missing)], ignore_conflicts=True)


def source_named(name: str) -> Source | None:
    return _sources.get(name)


def statuses() -> list[Status]:
    """Every provider, asked or not, by name; two queries."""
    now = clock.now()
    states = SourceState.objects.in_bulk()
    replies = QuarantinedReply.objects.values_list("source").annotate(replies=Count("pk"))
    quarantined: dict[str, int] = dict(replies)
    found = []
    for name in sorted(_sources):
        state = states.get(name) or SourceState(source=name)
        age = None if state.last_success_at is None else max(now - state.last_success_at, dt.timedelta())
        found.append(Status(_sources[name], state, age, quarantined.get(name, 0)))
    return found


def _text(at: dt.datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds").replace("+00:00", "Z")
