"""Elements of SVG as text, and a drawing of them: inside a page it takes the colours of the theme, alone it carries its
own.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent.parent
_STYLES = _FOLDER / "static" / "web" / "plots.css"
_FONT = _FOLDER / "data" / "DejaVuSans-latin.ttf"
_FAMILY = "DejaVu Sans"
PNG_SCALE = 2

Point = tuple[float, float]


def number(value: float) -> str:
    """A length or coordinate, to a tenth of a pixel."""
    text = f"{value:.1f}"
    return text.removesuffix(".0") if text != "-0.0" else "0"


def tag(name: str, *children: str, **attributes: object) -> str:
    """An element; attributes that are None are left out, `class_` is class, and _ stands for a hyphen."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{number(value) if isinstance(value, float) else escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{given}>{''.join(children)}</{name}>" if children else f"<{name}{given}/>"


def text(x: float, y: float, content: str, class_: str = "", anchor: str = "start") -> str:
    """A line of text; `anchor` is start, middle or end."""
    shown = None if anchor == "start" else anchor
    return tag("text", escape(content), x=float(x), y=float(y), class_=class_ or None, text_anchor=shown)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> str:
    return tag("path", d=f"M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}", class_=class_)


def rect(
    x: float, y: float, width: float, height: float, class_: str, tip: str = "", radius: float = 0, name: str = ""
) -> str:
    """A rectangle; `tip` is shown by a browser when one points at it, `name` is what scripts find it by."""
    inside = (tag("title", escape(tip)),) if tip else ()
    corner = float(radius) if radius else None
    return tag("rect", *inside, x=float(x), y=float(y), width=float(width), height=float(height), rx=corner,
               class_=class_, data_name=name or None)  # fmt: skip


def circle(x: float, y: float, radius: float, class_: str, tip: str = "") -> str:
    inside = (tag("title", escape(tip)),) if tip else ()
    return tag("circle", *inside, cx=float(x), cy=float(y), r=float(radius), class_=class_)


def path_data(points: Sequence[Point], closed: bool = False) -> str:
    """The points joined, each after the first relative to the one before, to a tenth of a pixel without drift."""
    rounded = [(round(x * 10), round(y * 10)) for x, y in points]
    if not rounded:
        return ""
    (x0, y0), parts = rounded[0], []
    for x, y in rounded[1:]:
        if (x, y) != (x0, y0):
            parts.append(f"{_tenths(x - x0)} {_tenths(y - y0)}")
            x0, y0 = x, y
    start = f"M{_tenths(rounded[0][0])} {_tenths(rounded[0][1])}"
    return start + ("l" + " ".join(parts) if parts else "") + ("z" if closed else "")


def _tenths(value: int) -> str:
    return number(value / 10)


def polyline(points: Sequence[Point], class_: str, tip: str = "") -> str:
    inside = (tag("title", escape(tip)),) if tip else ()
    return tag("path", *inside, d=path_data(points), class_=class_)


@dataclass(frozen=True)
class Drawing:
    """An SVG of a size in pixels, with what a screen reader says of it. `name` tells drawings of a page apart."""

    name: str
    width: int
    height: int
    title: str
    description: str
    body: str

    def inline(self) -> str:
        """As a part of a page, whose style sheet colours it."""
        return self._svg('class="plot"', "")

    def standalone(self) -> str:
        """As a file of its own, in the colours of the light theme."""
        style = f"<style>{_standalone_styles()}</style>"
        paper = tag("rect", width="100%", height="100%", class_="paper")
        size = f'class="plot" width="{self.width}" height="{self.height}"'
        return '<?xml version="1.0" encoding="UTF-8"?>\n' + self._svg(size, style + paper)

    def png(self) -> bytes:
        """The file of its own as PNG, at twice its size in pixels."""
        import resvg_py

        rendered = resvg_py.svg_to_bytes(
            svg_string=self.standalone(), zoom=PNG_SCALE, font_files=[str(_FONT)], skip_system_fonts=True,
            font_family=_FAMILY, sans_serif_family=_FAMILY,
        )  # fmt: skip
        return bytes(rendered)

    def _svg(self, attributes: str, first: str) -> str:
        about = tag("title", escape(self.title), id=f"{self.name}-title")
        about += tag("desc", escape(self.description), id=f"{self.name}-desc")
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" role="img" '
            f'aria-labelledby="{self.name}-title" aria-describedby="{self.name}-desc" {attributes}>'
            f"{about}{first}{self.body}</svg>"
        )


@functools.cache
def _standalone_styles() -> str:
    """The rules of plots with the light theme's values in place of custom properties, which not every program knows."""
    tokens, rules = _STYLES.read_text().split("/* === plots === */", 1)
    light = re.search(r":root\s*{(.*?)}", tokens, re.DOTALL)
    assert light is not None
    values = dict(re.findall(r"(--[\w-]+):\s*(?:light-dark\()?([^;,)]+)", light[1]))
    resolved = re.sub(r"var\((--[\w-]+)\)", lambda match: values[match[1]], rules)
    return re.sub(r"\s+", " ", resolved).strip()
