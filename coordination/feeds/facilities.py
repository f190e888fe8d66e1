"""Telescopes as the Virtual Observatory names them."""

from collections.abc import Sequence

from coordination.common.problems import DomainError
from observatories.models import Telescope


def facility(telescope: Telescope) -> str:
    return f"{telescope.name}, {telescope.observatory}"


def called(names: Sequence[str], telescopes: Sequence[Telescope]) -> list[Telescope]:
    """Those of the telescopes (observatories loaded) that go by one of the names, in any case: MPC code, observatory,
    telescope, or both as `facility` puts them. Raises DomainError for a name that none goes by.
    """
    wanted = {name.casefold() for name in names}
    known = {telescope.pk: _names_of(telescope) for telescope in telescopes}
    everything = set().union(*known.values())
    if unknown := [name for name in names if name.casefold() not in everything]:
        name = unknown[0][:60]
        raise DomainError(
            f"No telescope here is called {name!r}: expected an MPC code, an observatory or a telescope.",
            field="FACILITY",
            value=name,
        )
    return [telescope for telescope in telescopes if known[telescope.pk] & wanted]


def _names_of(telescope: Telescope) -> set[str]:
    observatory = telescope.observatory
    names = (telescope.name, observatory.name, observatory.mpc_code or "", str(observatory), facility(telescope))
    return {name.casefold() for name in names if name}
