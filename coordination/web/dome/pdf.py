"""A night plan as PDF, on one page of A4 as long as it can be read."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape

from django.utils.translation import gettext as _
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table

from . import words
from .plan import NightPlan

_SIZES_PT = (9.0, 8.0, 7.0, 6.4, 5.9)  # tried in turn; the last one may run on to further pages
_MARGIN = 11 * mm
_TYPED = {"″": '"', "′": "'", "σ": "-sigma", "−": "-", "→": "->"}  # the font of the library has no such letters


def render(plan: NightPlan) -> bytes:
    drawn = io.BytesIO()
    for size_pt in _SIZES_PT:
        drawn = io.BytesIO()
        document = SimpleDocTemplate(
            drawn, pagesize=A4, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=_MARGIN, bottomMargin=_MARGIN,
            title=_printable(words.heading(plan)), author="NEO Coordination",
        )  # fmt: skip
        document.build(_story(plan, size_pt), onFirstPage=_foot(plan), onLaterPages=_foot(plan))
        if document.page == 1:
            break
    return drawn.getvalue()


def _story(plan: NightPlan, size_pt: float) -> list[Any]:
    _fonts()
    text = ParagraphStyle("text", fontName="Vera", fontSize=size_pt, leading=1.25 * size_pt)
    bold = ParagraphStyle("bold", text, fontName="VeraBd", fontSize=1.15 * size_pt, leading=1.42 * size_pt)
    title = ParagraphStyle("title", bold, fontSize=1.5 * size_pt, leading=2.0 * size_pt)
    story: list[Any] = [Paragraph(_paragraph(words.heading(plan)), title)]
    intro = _("Times are UTC, in parentheses local (%s). Altitudes are airless; places astrometric, ICRF.") % plan.zone
    story.append(Paragraph(_paragraph(intro), text))
    sun = [["", _("evening"), _("morning")], *words.sun_rows(plan)]
    story += [Spacer(1, size_pt / 2), _table(sun, size_pt, [0.4, 0.3, 0.3]), Spacer(1, size_pt / 3)]
    story.append(Paragraph(_paragraph(words.moon_line(plan)), text))
    story += [Paragraph(_paragraph(line), bold) for line in words.closure_lines(plan)]
    shares = [0.085, 0.06, 0.13, 0.13, 0.08, 0.075, 0.11, 0.08, 0.07, 0.09, 0.09]
    blocks = words.blocks(plan)
    for block in blocks:
        parts: list[Any] = [Spacer(1, 0.55 * size_pt), Paragraph(_paragraph(f"{block.period}  {block.title}"), bold)]
        if block.rows:
            parts += [_table([words.POSITION_HEADINGS, *block.rows], size_pt, shares), Spacer(1, size_pt / 4)]
        parts.append(Paragraph(_paragraph(" · ".join(block.facts)), text))
        story.append(KeepTogether(parts))
    if not blocks:
        story += [Spacer(1, size_pt), Paragraph(_paragraph(_("Nothing is booked.")), bold)]
    return story


def _table(rows: Sequence[Sequence[str]], size_pt: float, shares: Sequence[float]) -> Table:
    width = A4[0] - 2 * _MARGIN
    table = Table([[_printable(cell) for cell in row] for row in rows], [share * width for share in shares])
    table.setStyle(
        [
            ("FONT", (0, 0), (-1, -1), "Vera", 0.95 * size_pt, 1.02 * size_pt),
            ("FONT", (0, 0), (-1, 0), "VeraBd", 0.8 * size_pt, 1.02 * size_pt),
            ("LINEBELOW", (0, 0), (-1, 0), 0.5, colors.black),
            ("LINEBELOW", (0, 1), (-1, -1), 0.2, colors.grey),
            ("TOPPADDING", (0, 0), (-1, -1), 0.08 * size_pt),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 0.14 * size_pt),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 3),
        ]
    )
    table.hAlign = "LEFT"
    return table


def _foot(plan: NightPlan) -> Any:
    made = _("made %s UTC by NEO Coordination") % f"{plan.made_at:%Y-%m-%d %H:%M}"

    def draw(canvas: Any, document: Any) -> None:
        canvas.setFont("Vera", 6.5)
        canvas.drawString(_MARGIN, 7 * mm, _printable(f"{words.heading(plan)} · {made} · {document.page}"))

    return draw


@lru_cache(maxsize=1)
def _fonts() -> None:
    for name in ("Vera", "VeraBd"):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))


def _paragraph(text: str) -> str:
    return escape(_printable(text))


def _printable(text: str) -> str:
    """With the letters that the font has; accents that it lacks fall off their letters."""
    _fonts()
    known = pdfmetrics.getFont("Vera").face.charToGlyph
    return "".join(part for letter in text for part in _letters(letter, known))


def _letters(letter: str, known: Any) -> str:
    if ord(letter) in known:
        return letter
    if letter in _TYPED:
        return _TYPED[letter]
    plain = "".join(part for part in unicodedata.normalize("NFKD", letter) if ord(part) in known)
    return plain or "?"
