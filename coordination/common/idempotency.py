"""`Idempotency-Key`: what a client asks for again under one key is done once.

The answer is stored in the transaction of the change itself, so there is no moment at which a killed process leaves one
without the other. While a request runs it holds a lock of its transaction, which falls with the connection: there is no
mark that somebody would have to clear. Only what was done is kept, not a refusal: that changed nothing of what was
asked, and a retry may rightly succeed.

An answer may hold a secret that is shown once. So bodies are encrypted under a key made of the service's own and of the
Idempotency-Key, of which only the hash is stored: who gets hold of the database alone reads none.
"""

import base64
import datetime as dt
import hashlib
import re
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.db import connection
from django.http import HttpResponse
from django.utils.crypto import salted_hmac
from rest_framework import status

from .actors import PartnerSystem
from .models import KeptAnswer
from .problems import ConflictError, DomainError

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT = dt.timedelta(hours=24)
RETRY_AFTER_S = 1
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("Content-Type", "ETag", "Last-Modified", "Location", "Cache-Control", "Retry-After")


class KeyReusedError(DomainError):
    problem = "idempotency-key-reused"
    status = status.HTTP_422_UNPROCESSABLE_ENTITY


class StillRunningError(ConflictError):
    problem = "request-in-progress"
    headers = {"Retry-After": str(RETRY_AFTER_S)}


def read_key(text: str) -> str:
    """Raises DomainError for what is no key."""
    if not _KEY.fullmatch(text):
        expected = "1 to 255 visible ASCII characters, such as a UUID"
        raise DomainError(f"{HEADER} is {expected}.", field=HEADER, value=text, expected=expected)
    return text


def caller_of(principal: Any) -> str:
    """Whose keys they are: a person's, or those of a token and of all that replaced it one after the other."""
    if isinstance(principal, PartnerSystem):
        return f"token:{principal.lineage}"
    return f"user:{principal.pk}"


class Attempt:
    """One request under a key; inside the transaction in which it is carried out."""

    def __init__(self, caller: str, key: str, method: str, path: str, body: bytes) -> None:
        self.caller, self.key = caller, key
        self.key_sha256 = hashlib.sha256(key.encode()).hexdigest()
        self.request_sha256 = hashlib.sha256(f"{method} {path}\n".encode() + body).hexdigest()

    @property
    def lock_number(self) -> int:
        digest = hashlib.sha256(f"idempotency {self.caller} {self.key}".encode()).digest()
        return int.from_bytes(digest[:8], signed=True)

    def replay(self) -> HttpResponse | None:
        """The answer that was given before; None: it is to be carried out, and nobody else does. Raises
        StillRunningError, and KeyReusedError for a key of another request.
        """
        self._lock()
        kept = KeptAnswer.objects.filter(caller=self.caller, key_sha256=self.key_sha256).first()
        if kept is None:
            return None
        if kept.request_sha256 != self.request_sha256:
            raise KeyReusedError(
                "The key was used before for another address or body.", field=HEADER, value=self.key,
                expected="a new key for a new request",
            )  # fmt: skip
        return HttpResponse(self._opened(kept), status=kept.status, headers=kept.headers | {REPLAYED: "true"})

    def keep(self, response: HttpResponse) -> None:
        KeptAnswer.objects.create(
            caller=self.caller,
            key_sha256=self.key_sha256,
            request_sha256=self.request_sha256,
            status=response.status_code,
            headers={name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers},
            body=self._cipher().encrypt(response.content),
        )

    def _lock(self) -> None:
        """Until the transaction ends. A lock of a number that two keys share by chance only has one of them wait."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [self.lock_number])
            (locked,) = cursor.fetchone()
        if not locked:
            raise StillRunningError("A request with this key is still running.", field=HEADER, value=self.key)

    def _opened(self, kept: KeptAnswer) -> bytes:
        try:
            return self._cipher().decrypt(bytes(kept.body))
        except InvalidToken:  # the service's key was changed since
            raise ConflictError(
                "The request was carried out, but its answer can no longer be read: look at what is there.",
                field=HEADER, value=self.key,
            ) from None  # fmt: skip

    def _cipher(self) -> Fernet:
        digest = salted_hmac("common.idempotency", self.key, algorithm="sha256").digest()
        return Fernet(base64.urlsafe_b64encode(digest))


def remove_old_answers(now: dt.datetime) -> int:
    """Those that were kept long enough; their number."""
    count, _ = KeptAnswer.objects.filter(created_at__lt=now - KEPT).delete()
    return count
