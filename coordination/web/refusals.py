"""What services say, in the reader's language. They speak English, which is the API's contract: so a page knows each
sentence by its pattern, and one that it does not know stays as it is.
"""

import re

from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

from .labels import said

_WORDS = {"state", "whose", "how"}  # parts that are words themselves; the others are names, numbers and times
_SENTENCES = (
    # claiming
    _("Sign in to claim seats."),
    _("Only schedulers and managers of an organisation claim seats."),
    _("Only organisations that have joined the campaign claim its seats."),
    _("The slot is full: %(taken)s of %(capacity)s seats are taken."),
    _("The slot has %(capacity)s seats."),
    _("The slot is %(state)s."),
    _("The campaign is %(state)s."),
    _("Claims were accepted until %(until)s."),
    _("Claims were accepted until %(until)s, and the slot is %(state)s."),
    _("The observation has begun: %(advice)s."),
    _("The %(whose)s's limit is %(limit)s telescope hours: %(used)s h are taken and %(wanted)s h asked for."),
    _("%(telescope)s belongs to %(organisation)s, which has not granted it for this time."),
    _("%(telescope)s has no window over the whole slot."),
    _("Windows are not stored so far ahead: a claim computes them."),
    _("%(telescope)s is %(how)s from %(start)s to %(end)s."),
    _("The telescope is booked from %(start)s to %(end)s."),
    _("The telescope is otherwise booked."),
    _("%(telescope)s is %(state)s."),
    _("Give seats or telescopes, not both."),
    _("No seat is named."),
    _("One of the %(field)s is named twice."),
    _("%(count)s %(field)s are too many."),
    _("There is no such organisation."),
    _("There is no slot %(slot)s."),
    _("There is no telescope %(telescope)s."),
    _("Slot %(slot)s has no seat %(seat)s."),
    _("The seats of this slot are listed."),
    # what was expected
    _("at most %(hours)s h"),
    _("at most %(count)s, or allow_waiting"),
    _("%(count)s at most"),
    _("a telescope that sees the target all through the slot"),
    _("one seat or more"),
    # quorum
    _("%(sites)s sites"),
    _("%(sites)s site"),
    _("%(sites)s of %(least)s sites"),
    _("projected baseline %(km)s of %(least)s km"),
    _("longitude spread %(deg)s of %(least)s deg"),
    _("%(covered)s of %(least)s covered"),
    _("a gap of %(minutes)s min, at most %(most)s are allowed"),
    # signing in
    _("This invitation is not open: it was used or withdrawn, or its time is over."),
    _("%(user)s belongs to %(organisation)s already; its managers change the role."),
    _("There is a second factor already; switch it off first."),
    _("There is nothing to confirm; begin again."),
    _("There is no second factor."),
)
OTHER_WORDS = (_("organisation"), _("campaign"), _("booked"), _("closed"))  # of `whose` and `how`


def _pattern(sentence: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+?)", re.escape(sentence)))


# The longest first: "%(telescope)s is %(state)s." would take what others say better.
_PATTERNS = sorted(
    ((_pattern(each), each) for each in _SENTENCES), key=lambda pair: -len(pair[1].split("%(")[0] + pair[1])
)


def in_words(text: str) -> str:
    """A refusal, what was expected, or what is lacking, several of them apart by semicolons."""
    if (get_language() or "en").startswith("en"):
        return text
    known = _known(text)
    return known if known is not None else "; ".join(_known(part) or part for part in text.split("; "))


def _known(text: str) -> str | None:
    for pattern, sentence in _PATTERNS:
        if found := pattern.fullmatch(text):
            parts = {name: said(part) if name in _WORDS else part for name, part in found.groupdict().items()}
            return gettext(sentence) % parts
    return None
