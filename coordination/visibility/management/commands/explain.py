"""`manage.py explain`: why sites or telescopes cannot observe targets in a night, as CSV or JSON on standard output."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from coordination.visibility import inputs
from coordination.visibility.management.commands.windows import (
    add_telescope_arguments,
    read_telescopes,
    stored_closures,
)


class Command(BaseCommand):
    help = (
        "What rules out a night, with its figure: one row for each target and site. A night is that of the place, from "
        "local noon to noon, called by the date of its evening. With --site a bare place is meant: only the limits "
        "given here apply. With --telescope its stored limits and closures apply, and limits given here replace them."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        inputs.add_target_arguments(parser)
        add_telescope_arguments(parser)
        parser.add_argument("--night", required=True, metavar="DATE", help="YYYY-MM-DD: local date of its evening")
        inputs.add_format_argument(parser)

    def handle(self, *args: Any, **options: Any) -> str:
        from coordination.visibility.explain_rows import explain_columns, explained_nights, span_utc
        from coordination.visibility.rows import render

        with inputs.refusals():
            night = inputs.read_date("--night", options["night"])
            telescopes = read_telescopes(options)
            targets = inputs.read_targets(options)
            inputs.require_rows(len(targets), len(telescopes), 1)
            closures = stored_closures(options["telescope"] or [], *span_utc(night))
            knowledge = inputs.read_knowledge(options, len(targets))
            nights = explained_nights(targets, telescopes, night, inputs.read_planets(), closures, knowledge)
            nights = with_states(nights, options["telescope"] or [])
        return render(explain_columns(nights, targets, telescopes, night), options["format"])


def with_states(nights: list[Any], ids: list[int]) -> list[Any]:
    """Nights of stored telescopes with what their state rules out."""
    if not ids:
        return nights
    from coordination.visibility.explaining import without_idle
    from observatories.services import telescopes_for_windows

    return without_idle(nights, telescopes_for_windows(dict.fromkeys(ids)))
