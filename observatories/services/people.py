"""People, and with which role they belong to organisations."""

from axes.models import AccessAttempt
from django.db import transaction

from coordination.common import events
from coordination.common.checking import check
from coordination.common.problems import DomainError, ForbiddenError

from ..models import Membership, Organisation, User
from ..passwords import readable_password


@transaction.atomic
def add_person(
    username: str, organisation_slug: str, *, role: str = Membership.Role.SCHEDULER, actor: User | None = None
) -> tuple[User, str]:
    """Give a person a role at an organisation, and let them into the administration. Who is not known yet is entered,
    with a password that is told only here; for others it is empty. Returns person and password.
    """
    organisation = Organisation.objects.filter(slug=organisation_slug).first()
    if organisation is None:
        known = ", ".join(Organisation.objects.order_by("slug").values_list("slug", flat=True)[:50])
        detail = f"There is no organisation {organisation_slug!r}."
        raise DomainError(detail, field="organisation", value=organisation_slug, expected=known)
    if role not in Membership.Role.values:
        expected = ", ".join(Membership.Role.values)
        raise DomainError(f"{role!r} is no role.", field="role", value=role, expected=expected)
    user, password = User.objects.filter(username=username).first(), ""
    if user is None:
        user, password = User(username=username), readable_password()
        user.set_password(password)
        check(user)
    user.is_staff = True
    user.save()
    Membership.objects.update_or_create(user=user, organisation=organisation, defaults={"role": role})
    payload = {"organisation": organisation.pk, "role": role}
    events.record("person.added", user, payload, actor=actor)
    return user, password


@transaction.atomic
def unlock(username: str, *, actor: User | None = None) -> int:
    """Forget the wrong passwords given for a name, at all addresses; the number of locks that counted them."""
    if actor is not None and not actor.is_superuser:
        raise ForbiddenError("Only administrators unlock names.")
    count, _ = AccessAttempt.objects.filter(username=username).delete()
    events.record("person.unlocked", f"username:{username}"[:64], actor=actor)
    return count
