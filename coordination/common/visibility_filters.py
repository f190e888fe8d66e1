"""Where upper rooms tell lower ones who else may see their rows.

`targets` knows public and signed-in targets by itself; that a joined participant sees the targets of a campaign is
known to campaigns, which stand above. They register a function here in `AppConfig.ready`, and `targets` asks for it.
"""

from collections import defaultdict
from collections.abc import Callable

from django.db.models import Q

from .actors import Actor

Grant = Callable[[Actor, str], Q]

_grants: dict[str, list[Grant]] = defaultdict(list)


def register(model_label: str, grant: Grant) -> None:
    """`grant(actor, prefix)` gives the condition, under the lookup prefix, for the further rows the actor may see."""
    _grants[model_label].append(grant)


def granted(model_label: str, actor: Actor, prefix: str = "") -> Q:
    """The union of all that is registered for a model; matches nothing where nothing is."""
    condition = Q(pk__in=[])
    for grant in _grants[model_label]:
        condition |= grant(actor, prefix)
    return condition
