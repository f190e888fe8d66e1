"""The second factor of a person: one-time codes (TOTP, RFC 6238) from a telephone, and recovery codes on paper."""

import datetime as dt
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from coordination.common import clock, events
from coordination.common.problems import ConflictError, DomainError, ForbiddenError

from ..models import User

RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a code was accepted; if codes are not looked at for now, until when."""

    accepted: bool
    wait_until: dt.datetime | None = None
    by_recovery: bool = False


@transaction.atomic
def begin_second_factor(user_id: int) -> TOTPDevice:
    """A new secret for the person's telephone; nothing changes until a code from it is confirmed."""
    user = _lock(user_id)
    if user.second_factor_at is not None:
        raise ConflictError("There is a second factor already; switch it off first.")
    TOTPDevice.objects.filter(user=user).delete()
    device: TOTPDevice = TOTPDevice.objects.create(user=user, name="telephone", confirmed=False)
    return device


def unconfirmed_device(user: User) -> TOTPDevice | None:
    device: TOTPDevice | None = TOTPDevice.objects.filter(user=user, confirmed=False).first()
    return device


def confirm_second_factor(user_id: int, code: str) -> list[str]:
    """Switch it on with a code from the telephone. Returns the recovery codes, which are told only here."""
    codes: list[str] = []
    with transaction.atomic():
        user = _lock(user_id)
        device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False).first()
        if device is None or user.second_factor_at is not None:
            raise ConflictError("There is nothing to confirm; begin again.")
        accepted = device.verify_token(_digits(code))
        if accepted:
            device.confirmed = True
            device.save()
            user.second_factor_at = clock.now()
            user.save(update_fields=["second_factor_at"])
            events.record("person.second_factor_on", user, actor=user)
            codes = _new_recovery_codes(user)
    if not accepted:  # outside: that it was tried stays on record
        raise DomainError(
            "This is not the code that the telephone shows now. Is its clock right?", field="code", value=""
        )
    return codes


@transaction.atomic
def renew_recovery_codes(user_id: int) -> list[str]:
    """New ones, told only here; the old ones are worth nothing from now on."""
    user = _lock(user_id)
    if user.second_factor_at is None:
        raise ConflictError("There is no second factor.")
    events.record("person.recovery_codes_renewed", user, actor=user)
    return _new_recovery_codes(user)


def recovery_codes_left(user: User) -> int:
    device = StaticDevice.objects.filter(user=user).first()
    return device.token_set.count() if device is not None else 0


@transaction.atomic
def verify_second_factor(user_id: int, code: str) -> Verdict:
    """Whether a code is the telephone's, or a recovery code, which works once. After wrong ones the next is looked at
    only after a pause, which doubles each time.
    """
    user = _lock(user_id)
    digits = _digits(code)
    by_recovery = not (digits.isdecimal() and len(digits) == 6)
    kind = StaticDevice if by_recovery else TOTPDevice
    device = kind.objects.select_for_update().filter(user=user, confirmed=True).first()
    if device is None:
        return Verdict(False)
    allowed, told = device.verify_is_allowed()
    if not allowed:
        return Verdict(False, wait_until=told["locked_until"])
    accepted = device.verify_token(_digest(code) if by_recovery else digits)
    if accepted and by_recovery:
        events.record("person.recovery_code_used", user, {"left": recovery_codes_left(user)}, actor=user)
    return Verdict(accepted, by_recovery=by_recovery)


@transaction.atomic
def remove_second_factor(user_id: int, *, actor: User | None = None) -> None:
    """Switch it off: by the person, by an administrator for somebody who lost the telephone, or by the command."""
    if actor is not None and actor.pk != user_id and not actor.is_superuser:
        raise ForbiddenError("Only administrators switch off the second factor of somebody else.")
    user = _lock(user_id)
    if user.second_factor_at is None:
        raise ConflictError(f"{user} has no second factor.")
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()
    user.second_factor_at = None
    user.save(update_fields=["second_factor_at"])
    events.record("person.second_factor_off", user, actor=actor)


def _lock(user_id: int) -> User:
    return User.objects.select_for_update().get(pk=user_id)


def _new_recovery_codes(user: User) -> list[str]:
    """49 bits each; stored is what cannot be turned back."""
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="recovery codes")
    codes = [
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(2)) for _ in range(RECOVERY_CODES)
    ]
    for code in codes:
        device.token_set.create(token=_digest(code))
    return codes


def _digest(code: str) -> str:
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return hmac.new(settings.SECRET_KEY.encode(), f"recovery:{plain}".encode(), hashlib.sha256).hexdigest()[:16]


def _digits(code: str) -> str:
    return "".join(code.split())
