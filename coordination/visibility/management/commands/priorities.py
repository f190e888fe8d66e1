"""`manage.py priorities`: which targets deserve a night most, with the parts of their scores."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from coordination.common.actors import ANONYMOUS, SYSTEM
from coordination.common.problems import DomainError
from coordination.visibility import inputs, quality
from coordination.visibility.priorities import RankedTarget, Ranking, ranked_targets
from coordination.visibility.priority.scoring import PARTS

_MEANS = "Scores are 0 to 1; cost counts against. In brackets: nothing is known of that part. docs/priority.md"


class Command(BaseCommand):
    help = "Rank the targets with stored windows in a night: importance, need, urgency and cost."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--night", metavar="DATE", help="YYYY-MM-DD: local date of its evening (default: now)")
        parser.add_argument("--telescope", type=int, metavar="ID", help="only what this telescope can observe")
        parser.add_argument("--rows", type=int, default=20, help="how many targets (default 20)")
        parser.add_argument("--trust", choices=[level.label for level in quality.LEVELS], default=quality.LISTED.label,
                            help="the least that an orbit is to be trusted (default %(default)s)")  # fmt: skip
        parser.add_argument("--measures", action="store_true", help="also what each part was made from")
        parser.add_argument("--confidential", action="store_true",
                            help="also targets that are not public: mind who reads the output")  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        if options["rows"] < 1:
            raise CommandError("--rows: expected 1 or more", returncode=2)
        with inputs.refusals():
            night = inputs.read_date("--night", options["night"]) if options["night"] else None
        actor = SYSTEM if options["confidential"] else ANONYMOUS
        try:
            ranking = ranked_targets(
                None if night is None else night, telescope_id=options["telescope"], limit=options["rows"], actor=actor,
                worst=quality.level_named(options["trust"]),
            )  # fmt: skip
        except DomainError as error:
            raise CommandError(f"{error.detail} {error.expected}".strip(), returncode=2) from error
        console = Console(width=120)  # the same whether it is read on a terminal or from a file
        console.print(_table(ranking))
        if options["measures"]:
            for row in ranking.results:
                console.print(_measures(row))


def _table(ranking: Ranking) -> Table:
    where = "all telescopes" if ranking.telescope is None else str(ranking.telescope)
    title = f"Night of {ranking.night}, {where}: {len(ranking.results)} of {ranking.count} targets"
    table = Table(title=title, caption=_MEANS)
    table.add_column("Target")
    for heading in ("Score", *(part.capitalize() for part in PARTS), "V", "Hours", "Telescope", "Orbit"):
        table.add_column(heading, justify="right")
    for row in ranking.results:
        parts = (f"{part.value:.2f}" if part.is_known else f"({part.value:.2f})" for part in row.parts.values())
        table.add_row(
            f"{row.designation} {row.name}".strip(), f"{row.score:.3f}", *parts, f"{row.v_mag:.1f}", f"{row.hours:.1f}",
            row.telescope, row.orbit_trust or "not known",
        )  # fmt: skip
    return table


def _measures(row: RankedTarget) -> Table:
    table = Table(title=f"{row.rank}. {row.designation} {row.name}".strip(), title_justify="left")
    for heading in ("Part", "Measure", "Value", "Figure"):
        table.add_column(heading)
    for part, told in row.parts.items():
        for name, measure in told.measures.items():
            figure = "" if measure.figure is None else f"{measure.figure:g} {measure.unit}".strip()
            value = "not known" if measure.value is None else f"{measure.value:.2f}"
            table.add_row(part, name.replace("_", " "), value, figure)
    return table
