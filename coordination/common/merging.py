"""Where upper rooms say what happens to their rows when two targets turn out to be one object.

`targets` cannot know who refers to its rows. Each room registers in `AppConfig.ready` a function that moves its rows
from the one target to the other; all run in the transaction in which the target itself goes.
"""

from collections.abc import Callable

Repoint = Callable[[int, int], None]  # (kept_id, merged_id)

_repoints: dict[str, Repoint] = {}


def register(room: str, repoint: Repoint) -> None:
    """Rooms are asked in the order in which they register: lower ones first."""
    _repoints[room] = repoint


def repoint_all(kept_id: int, merged_id: int) -> None:
    """Move every room's rows; to be called inside the transaction of the merge."""
    for repoint in _repoints.values():
        repoint(kept_id, merged_id)
