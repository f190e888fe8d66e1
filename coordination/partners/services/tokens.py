"""Tokens of partners' systems: created, replaced, revoked, and recognised.

A token reads `neo_<prefix>_<secret>`. The prefix finds its row and may be shown; the secret is given out once.
"""

import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import is_naive

from coordination.common import clock, events
from coordination.common.checking import check
from coordination.common.problems import ConflictError, DomainError, ForbiddenError, UnknownError
from coordination.common.scopes import Scope
from observatories.models import Membership, Organisation, User
from observatories.people import Principal, organisations_with_role

from ..models import PartnerToken

PREFIX_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
USED_AT_MOST_EVERY = dt.timedelta(minutes=1)
LONGEST_OVERLAP_H = 24 * 30


@transaction.atomic
def create_token(
    organisation_id: int,
    *,
    name: str,
    scopes: Iterable[str],
    expires_at: dt.datetime | None = None,
    actor: User | None = None,
) -> tuple[PartnerToken, str]:
    """A new token and its text, which nobody can get to see again. By managers of the organisation."""
    organisation = Organisation.objects.filter(pk=organisation_id).first()
    if organisation is None:
        raise UnknownError("There is no such organisation.", field="organisation", value=organisation_id)
    require_manager(actor, organisation)
    if expires_at is not None and (is_naive(expires_at) or expires_at <= clock.now()):
        raise DomainError(
            "A token expires in the future.", field="expires_at", value=expires_at.isoformat(), expected="aware UTC"
        )
    token, text = _made(organisation, name=name.strip(), scopes=_ordered(scopes), expires_at=expires_at, actor=actor)
    _record("token.created", token, actor)
    return token, text


@transaction.atomic
def rotate_token(token_id: int, *, overlap_hours: float = 24.0, actor: User | None = None) -> tuple[PartnerToken, str]:
    """A new token of the same name, scopes and length of life in place of one that stays valid for some hours more."""
    if not 0 <= overlap_hours <= LONGEST_OVERLAP_H:
        raise DomainError(
            "The overlap is 0 to 720 hours.", field="overlap_hours", value=overlap_hours, expected="0 to 720"
        )
    old = _locked(token_id, actor)
    now = clock.now()
    if old.replaced_by_id is not None or old.refusal(now):
        raise ConflictError(old.refusal(now) or "The token was replaced already.", field="token", value=old.pk)
    expires_at = None if old.expires_at is None else now + (old.expires_at - old.created_at)
    lineage = old.lineage or old.pk
    new, text = _made(
        old.organisation, name=old.name, scopes=old.scopes, expires_at=expires_at, lineage=lineage, actor=actor
    )
    last = now + dt.timedelta(hours=overlap_hours)
    old.replaced_by = new
    old.expires_at = last if old.expires_at is None else min(last, old.expires_at)
    old.save(update_fields=["replaced_by", "expires_at"])
    _record("token.rotated", new, actor, replaces=old.prefix)
    return new, text


@transaction.atomic
def revoke_token(token_id: int, *, actor: User | None = None) -> PartnerToken:
    """From now on the token opens nothing."""
    token = _locked(token_id, actor)
    if token.revoked_at is not None:
        raise ConflictError("The token was revoked already.", field="token", value=token.pk)
    token.revoked_at = clock.now()
    token.save(update_fields=["revoked_at"])
    _record("token.revoked", token, actor)
    return token


def recognise(text: str) -> tuple[PartnerToken | None, str]:
    """The token that a text stands for, and why it is refused: one query. Notes that it was used."""
    parts = text.split("_", 2)
    if len(parts) != 3 or parts[0] != "neo" or not parts[1].isascii():
        return None, "This is no token of this service: one begins with neo_."
    token = PartnerToken.objects.select_related("organisation").filter(prefix=parts[1]).first()
    stored = "" if token is None else token.secret_sha256
    if not hmac.compare_digest(_sha256(parts[2]), stored) or token is None:
        return None, "The token is not known."
    now = clock.now()
    if refusal := token.refusal(now):
        return None, refusal
    _note_use(token, now)
    return token, ""


def _note_use(token: PartnerToken, now: dt.datetime) -> None:
    before = now - USED_AT_MOST_EVERY
    if token.last_used_at is None or token.last_used_at <= before:
        unused = PartnerToken.objects.filter(Q(last_used_at=None) | Q(last_used_at__lte=before), pk=token.pk)
        unused.update(last_used_at=now)


def require_manager(actor: Principal | None, organisation: Organisation) -> None:
    """Raises ForbiddenError unless who acts manages the organisation; None is the service itself."""
    if actor is None or (actor.is_active and actor.is_superuser):
        return
    if organisation.pk not in organisations_with_role(actor, Membership.Role.MANAGER):
        raise ForbiddenError(f"Only managers of {organisation} may do this.")


def _made(organisation: Organisation, *, actor: User | None, **fields: Any) -> tuple[PartnerToken, str]:
    prefix = "".join(secrets.choice(PREFIX_ALPHABET) for _ in range(8))
    secret = secrets.token_urlsafe(32)
    token = PartnerToken(
        organisation=organisation, prefix=prefix, secret_sha256=_sha256(secret), created_by=actor, **fields
    )
    check(token)
    token.save()
    return token, f"neo_{prefix}_{secret}"


def _locked(token_id: int, actor: User | None) -> PartnerToken:
    rows = PartnerToken.objects.select_for_update(of=("self",)).select_related("organisation")
    token = rows.filter(pk=token_id).first()
    if token is None:
        raise UnknownError(f"There is no token {token_id}.", field="token", value=token_id)
    require_manager(actor, token.organisation)
    return token


def _ordered(scopes: Iterable[str]) -> list[str]:
    given = set(scopes)
    unknown = sorted(given - set(Scope.values))
    if unknown or not given:
        raise DomainError(
            f"{unknown[0]} is no scope." if unknown else "A token needs a scope.",
            field="scopes",
            value=sorted(given),
            expected=", ".join(Scope.values),
        )
    return [scope for scope in Scope.values if scope in given]


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _record(kind: str, token: PartnerToken, actor: User | None, **further: Any) -> None:
    payload = {"organisation": token.organisation_id, "prefix": token.prefix, "scopes": token.scopes, **further}
    events.record(kind, token, payload, actor=actor)
