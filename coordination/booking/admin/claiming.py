"""Forms of a slot's page: claiming its seats, shifting, editing; and the claims beside it."""

from collections.abc import Collection
from functools import partial
from typing import Any

from django import forms
from django.db.models import QuerySet, prefetch_related_objects
from django.forms import modelform_factory
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanWidget,
)

from coordination.campaigns.admin import scheduled_by
from coordination.campaigns.services import joined_organisation_ids
from coordination.common.admin import ReadOnlyInline
from coordination.common.desk import actor_for, link
from observatories.models import Organisation, User

from ..claimable import Offer, offers, seats_with_state
from ..models import Claim, Seat, Slot
from ..services.telling import period_text
from .shared import CLAIM_COLOURS, local_text


def claimants(request: HttpRequest, slot: Slot) -> QuerySet[Organisation]:
    """Organisations for which the person may claim seats of the slot."""
    return scheduled_by(request).filter(pk__in=joined_organisation_ids(slot.campaign))


class ClaimForm(forms.Form):
    """The seats that an organisation may claim; `refusals` says why not the others."""

    seats = forms.MultipleChoiceField(
        widget=UnfoldAdminCheckboxSelectMultipleWidget(), error_messages={"required": "Choose one seat or more."}
    )
    allow_waiting = forms.BooleanField(
        required=False, label=_("wait for a free place if the slot is full"), widget=UnfoldBooleanWidget()
    )
    note = forms.CharField(
        required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}), help_text=_("for the participants")
    )

    def __init__(self, *args: Any, slot: Slot, organisation: Organisation, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        prefetch_related_objects([slot], seats_with_state())
        there = offers([slot], user, organisation)[slot.pk]
        field: Any = self.fields["seats"]
        # One that was taken meanwhile is accepted here, so that the service's refusal names what is in the way.
        data: Any = self.data
        chosen = set(data.getlist("seats")) if self.is_bound else set()
        field.choices = [
            (_key(each.seat), _label(each.seat)) for each in there if _open(each) or _key(each.seat) in chosen
        ]
        self.refusals = [_why(each) for each in there if not _open(each)]
        if not field.choices:
            field.help_text = "There is no seat that your organisation may claim."

    def wanted(self) -> dict[str, list[int]]:
        """Arguments of the service: seats, or the telescopes for which an open slot gets new ones."""
        chosen = [key.split("-") for key in self.cleaned_data["seats"]]
        telescopes = [int(pk) for kind, pk in chosen if kind == "telescope"]
        return {"telescope_ids": telescopes} if telescopes else {"seat_ids": [int(pk) for _, pk in chosen]}


def _open(offer: Offer) -> bool:
    """Whether it may be tried: a full slot can be waited for, and a claim computes windows that are not stored."""
    return offer.why_not is None or offer.why_not.extra.get("code") in ("full", "window-unknown")


def _why(offer: Offer) -> str:
    told, name = "" if offer.why_not is None else offer.why_not.detail, str(offer.seat.telescope)
    return told if told.startswith(name) else f"{name}: {told}"


def _key(seat: Seat) -> str:
    return f"telescope-{seat.telescope_id}" if seat.pk is None else f"seat-{seat.pk}"


def _label(seat: Seat) -> str:
    times = period_text(seat.observe_from, seat.observe_until)
    local = local_text(seat.telescope, seat.observe_from, seat.observe_until)
    return f"{seat.telescope}, {times}" + (f" ({local})" if local else "")


def claim_answer(claim: Claim) -> str:
    return {
        Claim.State.WAITING: "The slot is full: your claim waits for a free place, and holds no telescope.",
        Claim.State.HELD: "Held: the telescopes are yours until the quorum is there, which confirms them.",
        Claim.State.CONFIRMED: "Confirmed: the telescopes are booked.",
    }[Claim.State(claim.state)]


class SeatsForm(forms.Form):
    seats = forms.ModelMultipleChoiceField(
        queryset=Seat.objects.none(), widget=UnfoldAdminCheckboxSelectMultipleWidget()
    )

    def __init__(self, *args: Any, slot: Slot, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["seats"]
        field.queryset = slot.seats.select_related("telescope__observatory")


class ShiftForm(forms.Form):
    minutes = forms.FloatField(
        label=_("shift by (min)"), min_value=-1440, max_value=1440, widget=UnfoldAdminDecimalFieldWidget(),
        help_text=_("later is positive"),
    )  # fmt: skip


def slot_form(model_admin: Any, request: HttpRequest, fields: Collection[str]) -> Any:
    callback = partial(model_admin.formfield_for_dbfield, request=request)
    return modelform_factory(Slot, fields=fields, formfield_callback=callback)


class ClaimsOfSlot(ReadOnlyInline):
    """The claims that one may know of: one's own, and as a participant all."""

    model = Claim
    verbose_name_plural = "claims"
    fields = readonly_fields = ("claim", "shown_state", "claimed_seats_text", "note", "shift")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        claims = Claim.objects.visible_to(actor_for(request)).select_related("organisation", "slot")
        return claims.prefetch_related("seats__telescope")

    @display(description=_("organisation"))
    def claim(self, claim: Claim) -> str:
        return link(claim, claim.organisation)

    @display(description=_("state"), label=CLAIM_COLOURS)
    def shown_state(self, claim: Claim) -> str:
        return claim.state

    @display(description=_("seats"))
    def claimed_seats_text(self, claim: Claim) -> str:
        return ", ".join(seat.telescope.name for seat in claim.seats.all())

    @display(description=_("accepts shift"))
    def shift(self, claim: Claim) -> str:
        if claim.slot.proposed_shift_s is None or claim.state not in Claim.HOLDING:
            return "-"
        return "yes" if claim.accepts_shift else "not yet"
