"""Organisations, the people who belong to them, and with which role."""

from typing import TypeAlias

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models

from coordination.common import clock
from coordination.common.actors import Actor, PartnerSystem
from coordination.common.history import HistoricalRecords
from coordination.common.problems import ForbiddenError
from coordination.common.scopes import Scope


class Organisation(models.Model):
    """An institution that operates telescopes or takes part in campaigns."""

    name = models.CharField(max_length=200, unique=True)
    slug = models.SlugField(max_length=64, unique=True, help_text="short name for addresses and commands")
    website = models.URLField(blank=True)
    is_demo = models.BooleanField(default=False, help_text="demonstration data: remove_demo deletes it")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    history = HistoricalRecords()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """A person. What they may do with an organisation's telescopes is said by their memberships."""

    organisations: "models.ManyToManyField[Organisation, Membership]" = models.ManyToManyField(
        Organisation, through="Membership", related_name="people"
    )

    second_factor_at = models.DateTimeField(
        "second factor since", null=True, blank=True, editable=False, help_text="empty: the password alone signs in"
    )

    class Meta(AbstractUser.Meta):  # type: ignore[name-defined]
        swappable = "AUTH_USER_MODEL"


class Membership(models.Model):
    class Role(models.TextChoices):
        MEMBER = "member", "member: reads"
        SCHEDULER = "scheduler", "scheduler: books, claims, closes"
        MANAGER = "manager", "manager: edits telescopes, people, tokens"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role, default=Role.MEMBER)
    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "organisation"], name="membership_once"),
            models.CheckConstraint(
                condition=models.Q(role__in=["member", "scheduler", "manager"]), name="membership_role"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} at {self.organisation} ({self.role})"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def visible_to(self, actor: Actor) -> "InvitationQuerySet":
        """Those of the organisations that one belongs to."""
        if actor.sees_everything:
            return self
        return self.filter(organisation_id__in=actor.organisation_ids)

    def open(self) -> "InvitationQuerySet":
        return self.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=clock.now())


class Invitation(models.Model):
    """Of a colleague into an organisation, by a link that works once and until it expires."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=16, choices=Membership.Role, default=Membership.Role.MEMBER)
    email = models.EmailField(
        "e-mail address", blank=True, help_text="of the colleague; empty: pass the link on yourself"
    )
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField(editable=False)
    accepted_at = models.DateTimeField(null=True, editable=False)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, editable=False)
    history = HistoricalRecords()

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(role__in=["member", "scheduler", "manager"]), name="invitation_role"
            ),
            models.CheckConstraint(
                condition=models.Q(accepted_at=None) | models.Q(withdrawn_at=None), name="invitation_ends_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} of {self.organisation}, until {self.expires_at:%Y-%m-%d %H:%M}Z"

    @property
    def state(self) -> str:
        if self.accepted_at is not None:
            return "accepted"
        if self.withdrawn_at is not None:
            return "withdrawn"
        return "open" if self.expires_at > clock.now() else "expired"


# Who acts: services take one, or None for the service itself.
Principal: TypeAlias = User | PartnerSystem

# What a token's scope makes of a partner's system. Which action needs which scope, its view says.
_ROLES_OF_SCOPES = {
    Scope.READ: {Membership.Role.MEMBER},
    Scope.CLAIM: {Membership.Role.SCHEDULER},
    Scope.REPORT: {Membership.Role.SCHEDULER},
    Scope.MANAGE: {Membership.Role.SCHEDULER, Membership.Role.MANAGER},
}


def organisations_with_role(user: object, *roles: str) -> set[int]:
    """Organisations in which a person, or a partner's system, has one of the roles."""
    if isinstance(user, PartnerSystem):
        held = set[str]().union(*(_ROLES_OF_SCOPES[Scope(scope)] for scope in user.scopes))
        return {user.organisation_id} if held & set(roles) else set()
    return {pk for pk, role in roles_of(user).items() if role in roles}


def roles_of(user: object) -> dict[int, str]:
    """By organisation, the role of a person. One query; none for anything else, and for who may not sign in."""
    if not isinstance(user, User) or not user.is_active:
        return {}
    return dict(user.memberships.values_list("organisation_id", "role"))


def may_manage(user: object, organisation_id: int) -> bool:
    """Whether a person manages an organisation: its people, its telescopes. No token does."""
    if not isinstance(user, User) or not user.is_active:
        return False
    return user.is_superuser or organisation_id in organisations_with_role(user, Membership.Role.MANAGER)


def may_schedule(user: object, organisation_id: int) -> bool:
    """Whether a person or a partner's system may close and book the telescopes of an organisation."""
    if isinstance(user, User) and user.is_active and user.is_superuser:
        return True
    return organisation_id in organisations_with_role(user, Membership.Role.SCHEDULER, Membership.Role.MANAGER)


def require_scheduler(actor: Principal | None, organisation: Organisation) -> None:
    """Raises ForbiddenError unless who acts may act for the organisation; None is the service itself."""
    if actor is not None and not may_schedule(actor, organisation.pk):
        raise ForbiddenError(f"Only schedulers and managers of {organisation} may do this.", code="not-scheduler")
