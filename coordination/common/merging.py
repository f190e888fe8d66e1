"""Where upper rooms say what happens to their rows when two targets turn out to be one object.

`targets` cannot know who refers to its rows. Each room registers in `AppConfig.ready` a function that moves its rows
from the one target to the other; all run in the transaction in which the target itself goes. Beside it, how many there
are, for who has to decide.
"""

from collections.abc import Callable

Repoint = Callable[[int, int], None]  # (kept_id, merged_id)
Concerned = Callable[[int], dict[str, int]]  # of a target: how many rows, by what they are called

_repoints: dict[str, Repoint] = {}
_concerned: dict[str, Concerned] = {}


def register(room: str, repoint: Repoint, concerned: Concerned) -> None:
    """Rooms are asked in the order in which they register: lower ones first."""
    _repoints[room] = repoint
    _concerned[room] = concerned


def register_derived(room: str, concerned: Concerned) -> None:
    """A room whose rows do not move: they go with their target, and are computed anew for the kept one."""
    _concerned[room] = concerned


def repoint_all(kept_id: int, merged_id: int) -> None:
    """Move every room's rows; to be called inside the transaction of the merge."""
    for repoint in _repoints.values():
        repoint(kept_id, merged_id)


def concerned_by(target_id: int) -> dict[str, int]:
    """How many rows of upper rooms belong to a target, by what they are called; also those that are none."""
    return {name: count for concerned in _concerned.values() for name, count in concerned(target_id).items()}
