"""Calendars: who may have one, and the secret that is told once."""

import datetime as dt
import hashlib
import secrets

from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from coordination.campaigns.models import Campaign, Participation
from coordination.common import clock, events
from coordination.common.actors import SYSTEM, actor_of
from coordination.common.checking import check
from coordination.common.problems import ConflictError, DomainError, ForbiddenError, UnknownError
from observatories.models import Observatory, Organisation, Telescope, User
from observatories.people import require_scheduler

from ..models import CalendarFeed

Kind = CalendarFeed.Kind

_USE_NOTED_EVERY = dt.timedelta(minutes=1)


@transaction.atomic
def create_calendar(
    organisation_id: int,
    kind: str,
    *,
    telescope_id: int | None = None,
    observatory_id: int | None = None,
    campaign_id: int | None = None,
    actor: User | None = None,
) -> tuple[CalendarFeed, str]:
    """A calendar and the path of its address, which holds the secret and cannot be had again.

    Of one's own telescope, one's telescopes at an observatory, one's organisation, or a campaign that it has joined.
    """
    organisation = Organisation.objects.filter(pk=organisation_id).first()
    if organisation is None:
        raise DomainError("There is no such organisation.", field="organisation", value=organisation_id)
    require_scheduler(actor, organisation)
    if kind not in Kind.values:
        raise DomainError(f"{kind!r} is no kind.", field="kind", value=kind, expected=", ".join(Kind.values))
    given = {"telescope": telescope_id, "observatory": observatory_id, "campaign": campaign_id}
    for field, value in given.items():
        if (value is not None) != (field == kind):
            expected = f"a {kind} and nothing else" if kind in given else "nothing: it is of the organisation"
            raise DomainError(f"A calendar of kind {kind} is of {expected}.", field=field, value=value)
    _require_own(organisation, kind, given, actor)
    secret = secrets.token_urlsafe(32)
    feed = CalendarFeed(
        organisation=organisation,
        kind=kind,
        telescope_id=telescope_id,
        observatory_id=observatory_id,
        campaign_id=campaign_id,
        prefix=secret[:6],
        secret_sha256=_hashed(secret),
        created_by=actor,
    )
    check(feed)
    feed.save(force_insert=True)
    _record("calendar.created", feed, actor)
    return feed, reverse("feeds:calendar", args=[secret])


def _require_own(organisation: Organisation, kind: str, given: dict[str, int | None], actor: User | None) -> None:
    pk = given.get(kind)
    if pk is None:
        return  # of the organisation itself
    if kind == Kind.TELESCOPE:
        telescope = Telescope.objects.filter(pk=pk).first()
        if telescope is None:
            raise DomainError("There is no such telescope.", field=kind, value=pk)
        if telescope.organisation_id != organisation.pk:
            raise ForbiddenError(f"{telescope} is not operated by {organisation}.", field=kind, value=pk)
    elif kind == Kind.OBSERVATORY:
        if not Observatory.objects.filter(pk=pk).exists():
            raise DomainError("There is no such observatory.", field=kind, value=pk)
        if not Telescope.objects.filter(observatory=pk, organisation=organisation).exists():
            raise ForbiddenError(f"{organisation} operates no telescope there.", field=kind, value=pk)
    elif kind == Kind.CAMPAIGN:
        visible = Campaign.objects.visible_to(SYSTEM if actor is None else actor_of(actor))
        campaign = visible.filter(pk=pk).first()
        if campaign is None:
            raise DomainError("There is no such campaign.", field=kind, value=pk)
        joined = Participation.State.JOINED
        if not campaign.participations.filter(organisation=organisation, state=joined).exists():
            raise ForbiddenError(f"{organisation} has not joined {campaign}.", field=kind, value=pk)


@transaction.atomic
def revoke_calendar(feed_id: int, *, actor: User | None = None) -> CalendarFeed:
    """From now on its address answers as if it had never been."""
    visible = CalendarFeed.objects.visible_to(SYSTEM if actor is None else actor_of(actor))
    feed = visible.select_for_update(of=("self",)).select_related("organisation").filter(pk=feed_id).first()
    if feed is None:
        raise UnknownError(f"There is no calendar {feed_id}.", field="calendar", value=feed_id)
    require_scheduler(actor, feed.organisation)
    if feed.revoked_at is not None:
        raise ConflictError("The calendar is revoked already.", value=feed.revoked_at.isoformat())
    feed.revoked_at = clock.now()
    feed.save(update_fields=["revoked_at"])
    _record("calendar.revoked", feed, actor)
    return feed


def find_calendar(secret: str) -> CalendarFeed | None:
    """The calendar with that secret, if it answers; one query."""
    # The database compares hashes: how long that takes says nothing of the secret.
    answering = CalendarFeed.objects.answering().filter(secret_sha256=_hashed(secret))
    return answering.select_related("organisation", "telescope", "observatory", "campaign").first()


def note_content(feed: CalendarFeed, content_sha256: str) -> dt.datetime:
    """Note that the calendar was fetched with this content; since when it has been so. At most one query.

    Changes are at least a second apart, as HTTP tells times: a client that asks by time misses none.
    """
    now = clock.now()
    changed = feed.content_changed_at
    if changed is None or feed.content_sha256 != content_sha256:
        second = dt.timedelta(seconds=1)
        changed = now.replace(microsecond=0) if changed is None else max(now.replace(microsecond=0), changed + second)
        CalendarFeed.objects.filter(pk=feed.pk).update(
            content_sha256=content_sha256, content_changed_at=changed, last_used_at=now
        )
    elif feed.last_used_at is None or now - feed.last_used_at >= _USE_NOTED_EVERY:
        older = Q(last_used_at=None) | Q(last_used_at__lt=now)
        CalendarFeed.objects.filter(older, pk=feed.pk).update(last_used_at=now)
    return changed


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _record(kind: str, feed: CalendarFeed, actor: User | None) -> None:
    payload = {
        "organisation": feed.organisation_id,
        "kind": feed.kind,
        "telescope": feed.telescope_id,
        "observatory": feed.observatory_id,
        "campaign": feed.campaign_id,
    }
    events.record(kind, feed, payload, actor=actor)
