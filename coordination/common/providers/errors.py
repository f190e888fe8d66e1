"""What can come of asking a provider, besides an answer: one family of errors, whichever way it was asked."""

from __future__ import annotations

from enum import StrEnum

EXCERPT_BYTES = 2000


class Wrong(StrEnum):
    """What is the matter with an answer that cannot be used."""

    UNREADABLE = "unreadable"  # not the format at all: cut off, an HTML page, too long
    SIGNATURE = "signature"  # the provider's own version of its format is not the one this was written for
    FIELD = "field"  # a field that matters is missing or cannot be true
    OBJECT = "object"  # about another object than was asked for
    OLDER = "older"  # older than what the provider had answered before


class SourceError(Exception):
    """Nothing usable came back from `provider`. The message is for people."""

    def __init__(self, provider: str, message: str) -> None:
        self.provider, self.message = provider, message
        super().__init__(provider, message)  # in this form it can be pickled between processes

    def __str__(self) -> str:
        return f"{self.provider}: {self.message}"


class Offline(SourceError):  # noqa: N818
    """Switched off by the settings, or this machine has no network: nothing was sent."""


class Unavailable(SourceError):  # noqa: N818
    """It could not be reached, was too slow, broke off or has trouble of its own: asking later may help."""

    def __init__(self, provider: str, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(provider, message)
        self.args = (provider, message, retry_after_s)
        self.retry_after_s = retry_after_s


class NotFound(SourceError):  # noqa: N818
    """The provider says that it knows no such object."""


class Ambiguous(SourceError):  # noqa: N818
    """What was asked for means several objects; nothing is guessed."""

    def __init__(self, provider: str, message: str, candidates: tuple[str, ...]) -> None:
        super().__init__(provider, message)
        self.args = (provider, message, candidates)
        self.candidates = candidates


class Nonsense(SourceError):  # noqa: N818
    """An answer that cannot be used, for quarantine: what is wrong with it, and how it begins."""

    def __init__(self, provider: str, message: str, wrong: Wrong, excerpt: bytes = b"") -> None:
        super().__init__(provider, message)
        self.args = (provider, message, wrong, excerpt[:EXCERPT_BYTES])
        self.wrong = wrong
        self.excerpt = excerpt[:EXCERPT_BYTES]
