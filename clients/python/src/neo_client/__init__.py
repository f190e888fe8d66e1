"""Client of NEO Coordination's REST API.

with NeoClient("https://neo.example.org", token=os.environ["NEO_TOKEN"]) as neo:
    for slot in neo.slots(claimable=True):
        ...
"""

from .client import Claim, NeoClient
from .errors import Conflict, NeoError, NotAllowed, NotFound, Refused, TooMany, Unavailable
from .webhooks import BadSignature, verify_delivery

__all__ = [
    "BadSignature",
    "Claim",
    "Conflict",
    "NeoClient",
    "NeoError",
    "NotAllowed",
    "NotFound",
    "Refused",
    "TooMany",
    "Unavailable",
    "verify_delivery",
]
