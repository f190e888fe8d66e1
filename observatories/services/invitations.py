"""Invitations: a manager lets a colleague into the organisation, who chooses a name and a password."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, Signer
from django.db import transaction

from coordination.common import clock, events
from coordination.common.checking import check
from coordination.common.problems import ConflictError, DomainError, ForbiddenError, UnknownError

from ..models import Invitation, Membership, Organisation, User
from ..people import may_manage

_SALT = "invitation"


@transaction.atomic
def invite(organisation_id: int, *, role: str, email: str = "", actor: User | None = None) -> Invitation:
    """Invite somebody; `signed_key` gives what opens it. Managers give roles of their own organisation only."""
    organisation = Organisation.objects.filter(pk=organisation_id).first()
    if organisation is None or (actor is not None and not may_manage(actor, organisation.pk)):
        raise ForbiddenError("Only managers of an organisation invite into it.", field="organisation")
    if role not in Membership.Role.values:
        expected = ", ".join(Membership.Role.values)
        raise DomainError(f"{role!r} is no role.", field="role", value=role, expected=expected)
    expires_at = clock.now() + dt.timedelta(days=settings.INVITATION_DAYS)
    invitation = Invitation(organisation=organisation, role=role, email=email, invited_by=actor, expires_at=expires_at)
    check(invitation)
    invitation.save()
    _tell("made", invitation, actor)
    return invitation


@transaction.atomic
def withdraw_invitation(invitation_id: int, *, actor: User | None = None) -> None:
    invitation = Invitation.objects.filter(pk=invitation_id).first()
    if invitation is None or (actor is not None and not may_manage(actor, invitation.organisation_id)):
        raise ForbiddenError("Only managers of the organisation withdraw its invitations.")
    if not Invitation.objects.open().filter(pk=invitation_id).update(withdrawn_at=clock.now()):
        raise ConflictError("This invitation is not open any more.")
    _tell("withdrawn", invitation, actor)


def signed_key(invitation: Invitation) -> str:
    """What opens the invitation: signed, so that nobody finds one by trying."""
    return Signer(salt=_SALT).sign(str(invitation.pk))


def invitation_of(key: str) -> Invitation:
    """The open invitation of a key. Raises UnknownError for one that was used, withdrawn or is too old, and for no key:
    all look the same.
    """
    try:
        pk = int(Signer(salt=_SALT).unsign(key))
    except (BadSignature, ValueError):
        pk = 0
    invitation = Invitation.objects.open().select_related("organisation", "invited_by").filter(pk=pk).first()
    if invitation is None or not _still_may(invitation):
        raise UnknownError("This invitation is not open: it was used or withdrawn, or its time is over.")
    return invitation


@transaction.atomic
def join_with_new_account(
    key: str, *, username: str, password: str, email: str = "", first_name: str = "", last_name: str = ""
) -> User:
    """The invitee's own account, with a role at the organisation."""
    user = User(username=username, email=email, first_name=first_name, last_name=last_name, is_staff=True)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise DomainError(" ".join(error.messages), field="password") from error
    user.set_password(password)
    check(user)
    user.save()
    events.record("person.added", user, {"username": username}, actor=user)
    _join(key, user)
    return user


@transaction.atomic
def join_as(key: str, user: User) -> None:
    """Somebody who has an account joins with it."""
    _join(key, user)
    if not user.is_staff:
        user.is_staff = True
        user.save(update_fields=["is_staff"])


def _join(key: str, user: User) -> None:
    invitation = invitation_of(key)
    used: dict[str, Any] = {"accepted_at": clock.now(), "accepted_by": user}
    if Membership.objects.filter(user=user, organisation=invitation.organisation).exists():
        raise ConflictError(f"{user} belongs to {invitation.organisation} already; its managers change the role.")
    if not Invitation.objects.open().filter(pk=invitation.pk).update(**used):  # somebody was faster
        raise UnknownError("This invitation is not open: it was used or withdrawn, or its time is over.")
    Membership.objects.create(user=user, organisation=invitation.organisation, role=invitation.role)
    notice = events.notice(
        [invitation.organisation_id],
        roles=[Membership.Role.MANAGER],
        title=f"{user} has joined {invitation.organisation}",
        text=f"As {invitation.role}, by the invitation of {invitation.invited_by or 'an administrator'}.",
        path="/admin/observatories/invitation/",
    )
    _tell("accepted", invitation, user, notice)


def _still_may(invitation: Invitation) -> bool:
    """Whether who invited may still do so; an invitation is worth no more than that."""
    return invitation.invited_by is None or may_manage(invitation.invited_by, invitation.organisation_id)


def _tell(what: str, invitation: Invitation, actor: User | None, notice: dict[str, Any] | None = None) -> None:
    payload = {"organisation": invitation.organisation_id, "role": invitation.role, **(notice or {})}
    events.record(f"invitation.{what}", invitation, payload, actor=actor)
