"""What stands for `{target}`: a designation only where everybody who reads it may know it."""

from typing import Any

from targets.models import Target

from .models import Notice

PLACEHOLDER = "{target}"  # replaced as it stands: titles and texts are no format strings
CONFIDENTIAL = "a confidential target"
GONE = "a target that is no longer here"


def for_reader(notice: Notice, text: str) -> str:
    """The text as its reader in the service may see it; the notice comes from `for_reading_by(reader)`."""
    may_know: Any = getattr(notice, "target_is_visible", False)
    return _fill(notice, text, bool(may_know))


def for_mail(notice: Notice, text: str) -> str:
    """The text as it may leave the service: mail is stored and passed on by others, so only what is public counts,
    whoever receives it.
    """
    return _fill(notice, text, notice.target is not None and notice.target.visibility == Target.Visibility.PUBLIC)


def _fill(notice: Notice, text: str, may_know: bool) -> str:
    if notice.target is None:
        return text.replace(PLACEHOLDER, GONE)
    return text.replace(PLACEHOLDER, str(notice.target) if may_know else CONFIDENTIAL)


def in_one_line(text: str) -> str:
    """Without line breaks and control characters, which have no business in a title or a mail's header."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
