"""All writes to observatories, telescopes and closures.

Plain arguments in, one transaction with an event in it, DomainError for what is refused.
"""

from .closures import add_closure, closures_between, remove_closure
from .demo import DemoResult, load_demo, remove_demo
from .earth_orientation import adopt_earth_orientation, store_earth_orientation, versions_alike
from .invitations import invitation_of, invite, join_as, join_with_new_account, signed_key, withdraw_invitation
from .observatories import (
    ImportResult,
    create_observatory,
    import_observatories,
    remove_observatory,
    update_observatory,
)
from .people import add_person, unlock
from .recurring import add_closures, change_rest, remove_rest
from .second_factor import (
    begin_second_factor,
    confirm_second_factor,
    recovery_codes_left,
    remove_second_factor,
    renew_recovery_codes,
    unconfirmed_device,
    verify_second_factor,
)
from .telescopes import add_telescope, operators_of, remove_telescope, telescopes_for_windows, update_telescope

__all__ = [
    "DemoResult",
    "ImportResult",
    "add_closure",
    "add_closures",
    "add_person",
    "add_telescope",
    "adopt_earth_orientation",
    "begin_second_factor",
    "change_rest",
    "closures_between",
    "confirm_second_factor",
    "create_observatory",
    "import_observatories",
    "invitation_of",
    "invite",
    "join_as",
    "join_with_new_account",
    "load_demo",
    "operators_of",
    "recovery_codes_left",
    "remove_closure",
    "remove_demo",
    "remove_observatory",
    "remove_rest",
    "remove_second_factor",
    "remove_telescope",
    "renew_recovery_codes",
    "signed_key",
    "store_earth_orientation",
    "telescopes_for_windows",
    "unconfirmed_device",
    "unlock",
    "update_observatory",
    "update_telescope",
    "verify_second_factor",
    "versions_alike",
    "withdraw_invitation",
]
