"""All writes to targets, orbits and ephemerides, and the ways to find them."""

from .editing import update_target
from .horizons import choose_ephemeris_source
from .importing import ImportResult, import_file
from .lookup import UnknownDesignationError, resolve, resolve_all
from .orbits import OrbitRows, current_orbits, orbit_batch

__all__ = [
    "ImportResult",
    "OrbitRows",
    "UnknownDesignationError",
    "choose_ephemeris_source",
    "current_orbits",
    "import_file",
    "orbit_batch",
    "resolve",
    "resolve_all",
    "update_target",
]
