"""What stands for `{target}`: a designation only where everybody who reads it may know it."""

import re
from typing import Any

from targets.models import Designation, Target

from .models import Notice

PLACEHOLDER = "{target}"  # replaced as it stands: titles and texts are no format strings
CONFIDENTIAL = "a confidential target"
GONE = "a target that is no longer here"


def for_reader(notice: Notice, text: str) -> str:
    """The text as its reader in the service may see it; the notice comes from `for_reading_by(reader)`."""
    may_know: Any = getattr(notice, "target_is_visible", False)
    return _fill(notice, text, bool(may_know))


class ForMail:
    """Texts as they may leave the service: mail is stored and passed on by others, so only what is public counts,
    whoever receives it.

    What people typed, such as the title or aim of a campaign, may name a target too: all designations of targets that
    are not public now are taken out, rather one too many.
    """

    def __init__(self) -> None:
        secret = Designation.objects.exclude(target__visibility=Target.Visibility.PUBLIC).values_list("text", flat=True)
        forms = sorted({r"\s*".join(map(re.escape, text.split())) for text in secret}, key=len, reverse=True)
        self._secret = re.compile(rf"(?<!\w)(?:{'|'.join(forms)})(?!\w)", re.IGNORECASE) if forms else None

    def __call__(self, notice: Notice, text: str) -> str:
        if self._secret is not None:
            text = self._secret.sub(CONFIDENTIAL, text)
        public = notice.target is not None and notice.target.visibility == Target.Visibility.PUBLIC
        return _fill(notice, text, public)


def _fill(notice: Notice, text: str, may_know: bool) -> str:
    if notice.target is None:
        return text.replace(PLACEHOLDER, GONE)
    return text.replace(PLACEHOLDER, str(notice.target) if may_know else CONFIDENTIAL)


def in_one_line(text: str) -> str:
    """Without line breaks and control characters, which have no business in a title or a mail's header."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
