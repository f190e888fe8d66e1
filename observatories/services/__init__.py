"""All writes to observatories, telescopes and closures.

Plain arguments in, one transaction with an event in it, DomainError for what is refused.
"""

from .closures import add_closure, closures_between, remove_closure
from .demo import DemoResult, load_demo, remove_demo
from .earth_orientation import adopt_earth_orientation, store_earth_orientation
from .observatories import (
    ImportResult,
    create_observatory,
    import_observatories,
    remove_observatory,
    update_observatory,
)
from .people import add_person
from .telescopes import add_telescope, operators_of, remove_telescope, telescopes_for_windows, update_telescope

__all__ = [
    "DemoResult",
    "ImportResult",
    "add_closure",
    "add_person",
    "add_telescope",
    "adopt_earth_orientation",
    "closures_between",
    "create_observatory",
    "import_observatories",
    "load_demo",
    "operators_of",
    "remove_closure",
    "remove_demo",
    "remove_observatory",
    "remove_telescope",
    "store_earth_orientation",
    "telescopes_for_windows",
    "update_observatory",
    "update_telescope",
]
