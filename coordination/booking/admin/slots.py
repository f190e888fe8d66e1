"""Slots in the administration: looked at, edited and published by coordinators, claimed by participants."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from coordination.campaigns.admin import acts_for
from coordination.common import clock
from coordination.common.admin import ReadOnlyInline
from coordination.common.desk import ConfirmForm, DeskAdmin, ReasonForm, link, posted
from coordination.common.problems import DomainError
from observatories.admin import signed_in

from .. import services
from ..claimable import only_claimable
from ..models import Booking, Claim, Seat, Slot
from ..quorum import quorum_of
from ..seats import with_state
from ..services.lifecycle import active_bookings
from ..services.slots import EDITABLE, EDITABLE_WHEN_CLAIMED
from ..services.telling import period_text
from .claiming import ClaimForm, ClaimsOfSlot, SeatsForm, ShiftForm, claim_answer, claimants, slot_form
from .shared import SEAT_COLOURS, SLOT_COLOURS, at_place, other_booking, yield_in_words

NEXT_STEPS = {
    Slot.State.DRAFT: "A draft: only participants see it. Edit it, remove seats, then publish it.",
    Slot.State.OPEN: "Open: seats can be claimed until the deadline. It is confirmed when its quorum is there.",
    Slot.State.CONFIRMED: "Confirmed: the telescopes are booked. Further seats can be claimed until the deadline.",
    Slot.State.IN_PROGRESS: "In progress: results are reported on the bookings.",
    Slot.State.COMPLETED: "Completed.",
    Slot.State.EXPIRED: "Expired: its quorum was not there at the deadline. All telescopes are free.",
    Slot.State.CANCELLED: "Cancelled. All telescopes are free.",
}


def steps_of_coordinator(slot: Slot) -> set[str]:
    """Names of the actions that whoever coordinates its campaign may take on a slot now."""
    names = set()
    if slot.state == Slot.State.DRAFT:
        names |= {"publish", "remove_seats", "edit", "cancel"}
    elif slot.state in Slot.CLAIMABLE:
        names |= {"edit", "cancel", "propose_shift"}
    elif slot.state == Slot.State.IN_PROGRESS:
        names.add("cancel")
        if slot.ends_at <= clock.now():
            names.add("complete")
    if slot.needs_review or slot.proposed_shift_s is not None:
        names.add("dismiss_review")
    return names


class SeatInline(ReadOnlyInline):
    model = Seat
    fields = readonly_fields = ("telescope", "operator", "period", "sky", "shown_state")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_state(
            super().get_queryset(request).select_related("telescope__observatory", "telescope__organisation")
        )

    @display(description=_("operator"))
    def operator(self, seat: Seat) -> str:
        return str(seat.telescope.organisation)

    @display(description=_("observation"))
    def period(self, seat: Seat) -> str:
        return at_place(seat.telescope, seat.observe_from, seat.observe_until)

    @display(description=_("altitude, V, motion"))
    def sky(self, seat: Seat) -> str:
        told = ((seat.peak_altitude_deg, "{:.0f} deg"), (seat.v_mag, "V {:.1f}"), (seat.rate_arcsec_min, '{:.1f}"/min'))
        return ", ".join(text.format(value) for value, text in told if value is not None) or "-"

    @display(description=_("state"), label=SEAT_COLOURS)
    def shown_state(self, seat: Any) -> str:
        return str(seat.state)


class Claimable(admin.SimpleListFilter):
    title = _("to be claimed")
    parameter_name = "claimable"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("mine", gettext("by my organisations"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return only_claimable(queryset, request.user) if self.value() == "mine" else queryset


@admin.register(Slot)
class SlotAdmin(DeskAdmin):
    list_display = ("period", "target", "campaign_title", "kind", "shown_state", "taken", "claim_until", "attention")
    list_display_links = ("period",)
    list_filter = (Claimable, "state", ("campaign", admin.RelatedOnlyFieldListFilter), "kind", "needs_replacement",
                   "needs_review")  # fmt: skip
    date_hierarchy = "starts_at"
    search_fields = ("target__designation", "target__name", "campaign__title")
    search_help_text = _("designation or name of the target, or campaign")
    when_empty = _("There is no slot here. The coordinator of a campaign makes drafts with Propose slots on its page.")
    inlines = (SeatInline, ClaimsOfSlot)
    refused_fields = {"telescopes": "seats", "telescope": "seats"}
    readonly_fields = ("next_step", "shown_state", "period", "room", "quorum_asked", "quorum_there", "yields",
                       "claim_until", "replace_until", "review", "campaign_title", "target_name")  # fmt: skip
    fieldsets = (
        (
            None,
            {"fields": ("next_step", ("campaign_title", "target_name"), ("shown_state", "kind"), ("period", "room"),
                        ("claim_until", "replace_until"), ("quorum_asked", "quorum_there"))},
        ),
        (_("Why here, and what it gives"), {"fields": ("reason", "yields", "notes")}),
    )  # fmt: skip
    actions_detail = (
        "publish", "claim", "accept_shift", "propose_shift", "dismiss_review", "edit", "remove_seats", "complete",
        "cancel",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        slots = super().get_queryset(request).select_related("target", "campaign__lead_organisation")
        held = Q(claims__bookings__state__in=[*Booking.ACTIVE, Booking.State.DONE])
        return slots.annotate(taken_seats=Count("claims__bookings", filter=held, distinct=True))

    def get_fieldsets(self, request: HttpRequest, obj: Slot | None = None) -> Any:
        if obj is not None and (obj.needs_review or obj.proposed_shift_s is not None):
            return (("To review", {"fields": ("review",)}), *self.fieldsets)
        return self.fieldsets

    # --- columns -----------------------------------------------------------------------------------------------------
    @display(description=_("period"), ordering="starts_at")
    def period(self, slot: Slot) -> str:
        return period_text(slot.starts_at, slot.ends_at)

    @display(description=_("campaign"), ordering="campaign__title")
    def campaign_title(self, slot: Slot) -> str:
        return link(slot.campaign)

    @display(description=_("target"))
    def target_name(self, slot: Slot) -> str:
        return link(slot.target)

    @display(description=_("state"), ordering="state", label=SLOT_COLOURS)
    def shown_state(self, slot: Slot) -> str:
        return slot.state.replace("_", " ")

    @display(description=_("seats taken"))
    def taken(self, slot: Any) -> str:
        return f"{slot.taken_seats}" + (f" of {slot.capacity}" if slot.capacity is not None else "")

    @display(description=_("claims until"), ordering="claim_deadline")
    def claim_until(self, slot: Slot) -> str:
        return f"{slot.claim_deadline:%Y-%m-%d %H:%M} UTC"

    @display(description=_("replacements until"))
    def replace_until(self, slot: Slot) -> str:
        return f"{slot.replacement_deadline:%Y-%m-%d %H:%M} UTC"

    @display(description=_("needs"), label={"replacement": "danger", "review": "warning"})
    def attention(self, slot: Slot) -> str | None:
        return "replacement" if slot.needs_replacement else "review" if slot.needs_review else None

    # --- its own page ------------------------------------------------------------------------------------------------
    @display(description=_("next"))
    def next_step(self, slot: Slot) -> str:
        if slot.state == Slot.State.CONFIRMED and slot.needs_replacement:
            return (
                f"Below its quorum: a replacement is wanted until {slot.replacement_deadline:%Y-%m-%d %H:%M} UTC, else "
                "it is cancelled."
            )
        if slot.state == Slot.State.OPEN and clock.now() >= slot.claim_deadline:
            return "Its deadline has passed without its quorum; it is about to expire."
        return NEXT_STEPS[Slot.State(slot.state)]

    @display(description=_("may move within"))
    def room(self, slot: Slot) -> str:
        return period_text(slot.room_starts_at, slot.room_ends_at)

    @display(description=_("quorum asked for"))
    def quorum_asked(self, slot: Slot) -> str:
        asked = [f"{slot.min_sites} site{'' if slot.min_sites == 1 else 's'}"]
        for value, text in (
            (slot.min_baseline_km, "projected baseline {:,.0f} km"),
            (slot.min_longitude_spread_deg, "longitude spread {:.0f} deg"),
            (slot.min_covered_fraction, "{:.0%} covered"),
            (slot.max_gap_minutes, "no gap above {:.0f} min"),
        ):
            if value is not None:
                asked.append(text.format(value))
        return ", ".join(asked) + (f"; {slot.capacity} seats at most" if slot.capacity is not None else "")

    @display(description=_("quorum there"))
    def quorum_there(self, slot: Slot) -> str:
        if slot.state not in Slot.LIVE:
            return "-"
        quorum = quorum_of(slot, active_bookings(slot))
        return f"holds: {quorum.text}" if quorum.holds else f"lacking: {quorum.text}"

    @display(description=_("expected yield"))
    def yields(self, slot: Slot) -> str:
        return format_html_join(mark_safe("<br>"), "{}", ((line,) for line in yield_in_words(slot))) or "not computed"

    @display(description=_("a new orbit"))
    def review(self, slot: Slot) -> str:
        proposed = ""
        if slot.proposed_shift_s is not None:
            proposed = f" Proposed: shift by {slot.proposed_shift_s / 60.0:+.1f} min, if all holders accept."
        return f"{slot.review_reason}{proposed}".strip()

    def further(self, request: HttpRequest, error: DomainError) -> str:
        return other_booking(request, error)

    # --- what may be done --------------------------------------------------------------------------------------------
    def offered(self, request: HttpRequest, obj: Slot) -> set[str]:
        names = set()
        if obj.state in Slot.CLAIMABLE and claimants(request, obj).exists():
            names.add("claim")
        if obj.proposed_shift_s is not None and self.shift_claims(request, obj):
            names.add("accept_shift")
        if acts_for(request, obj.campaign.lead_organisation_id):
            names |= steps_of_coordinator(obj)
        return names

    def shift_claims(self, request: HttpRequest, slot: Slot) -> list[Claim]:
        """Claims whose holders this person speaks for, and that have not accepted yet."""
        holding = slot.claims.filter(state__in=Claim.HOLDING, accepts_shift=False).select_related("organisation")
        return [claim for claim in holding if acts_for(request, claim.organisation_id)]

    # --- actions -----------------------------------------------------------------------------------------------------
    @action(description=_("Publish"), icon="campaign", variant=ActionVariant.PRIMARY)
    def publish(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        slot = self.row(request, object_id, "publish")
        return self.ask(
            request,
            ConfirmForm(posted(request)),
            obj=slot,
            title=gettext("Publish the slot"),
            submit=gettext("Publish"),
            intro=f"All participants are told. Seats can be claimed until {self.claim_until(slot)}.",
            done=gettext("The slot is open to claims."),
            do=lambda given: services.publish_slot(slot.pk, actor=signed_in(request)),
        )

    @action(description=_("Claim seats"), icon="event_available", variant=ActionVariant.PRIMARY)
    def claim(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        slot = self.row(request, object_id, "claim")
        organisations = claimants(request, slot)
        wanted = Q(pk=_number(request.GET.get("organisation"))) | Q(slug=request.GET.get("for", ""))
        chosen = organisations.filter(wanted).first() or organisations.first()
        if chosen is None:
            raise PermissionDenied  # sent without having been offered
        initial = {"seats": request.GET.getlist("seats")}
        form = ClaimForm(posted(request), slot=slot, organisation=chosen, user=signed_in(request), initial=initial)
        return self.ask(
            request, form, obj=slot, title=f"Claim seats for {chosen}", submit=gettext("Claim"), done=claim_answer,
            intro=f"{slot.target}, {self.period(slot)}. All the seats that you choose, or none; their telescopes "
            "are held at once." + (" Not open to your organisation:" if form.refusals else ""),
            lines=form.refusals,
            choices=[(each, f"?organisation={each.pk}") for each in organisations if each != chosen],
            do=lambda given: services.claim_seats(
                slot.pk, chosen.pk, allow_waiting=given["allow_waiting"], note=given["note"], actor=signed_in(request),
                **form.wanted(),
            ),
        )  # fmt: skip

    @action(description=_("Accept shift"), icon="check", variant=ActionVariant.PRIMARY)
    def accept_shift(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        slot = self.row(request, object_id, "accept_shift")
        claims = self.shift_claims(request, slot)

        def accept(given: dict[str, Any]) -> None:
            for claim in claims:
                services.accept_shift(claim.pk, actor=signed_in(request))

        return self.ask(
            request,
            ConfirmForm(posted(request)),
            obj=slot,
            title=gettext("Accept the shift"),
            submit=gettext("Accept"),
            do=accept,
            intro=self.review(slot),
            lines=[str(claim.organisation) for claim in claims],
            done=gettext("The shift is accepted."),
        )

    @action(description=_("Propose shift"), icon="schedule")
    def propose_shift(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        slot = self.row(request, object_id, "propose_shift")
        shift_s = slot.proposed_shift_s
        initial = {"minutes": round(shift_s / 60.0, 2)} if shift_s is not None else {}
        return self.ask(
            request,
            ShiftForm(posted(request), initial=initial),
            obj=slot,
            title=gettext("Propose a shift"),
            submit=gettext("Propose"),
            intro=gettext("Holders are asked; it is made when all accept, and at once where nobody holds a seat."),
            done=gettext("The shift is proposed, or made where nobody had to be asked."),
            do=lambda given: services.propose_shift(slot.pk, shift_s=60.0 * given["minutes"], actor=signed_in(request)),
        )

    @action(description=_("Keep as it is"), icon="do_not_disturb_on")
    def dismiss_review(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        slot = self.row(request, object_id, "dismiss_review")
        return self.ask(
            request,
            ConfirmForm(posted(request)),
            obj=slot,
            title=gettext("Keep the slot as it is"),
            submit=gettext("Keep"),
            intro=self.review(slot),
            done=gettext("The slot stays as it is."),
            do=lambda given: services.dismiss_review(slot.pk, actor=signed_in(request)),
        )

    @action(description=_("Edit"), icon="edit")
    def edit(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        slot = self.row(request, object_id, "edit")
        claimed = slot.claims.exists()
        fields = EDITABLE_WHEN_CLAIMED if claimed else EDITABLE
        form = slot_form(self, request, fields)(posted(request), instance=self.row(request, object_id))
        fixed = (
            "Since the first claim the deadline may only become later, the quorum lower and the capacity higher; the "
            "rest is fixed. For new times cancel the slot and propose again."
        )
        return self.ask(
            request,
            form,
            obj=slot,
            title=gettext("Edit the slot"),
            submit=gettext("Save"),
            done=gettext("The slot is changed."),
            intro=fixed if claimed else gettext("All of this is open to change until the first claim."),
            do=lambda given: services.update_slot(
                slot.pk, actor=signed_in(request), **{name: given[name] for name in form.changed_data}
            ),
        )

    @action(description=_("Remove seats"), icon="remove")
    def remove_seats(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        slot = self.row(request, object_id, "remove_seats")

        def remove(given: dict[str, Any]) -> None:
            for seat in given["seats"]:
                services.remove_seat(seat.pk, actor=signed_in(request))

        return self.ask(
            request,
            SeatsForm(posted(request), slot=slot),
            obj=slot,
            title=gettext("Remove seats"),
            danger=True,
            do=remove,
            intro=gettext("Telescopes that are not to take part in this slot."),
            done=gettext("The seats are removed."),
        )

    @action(description=_("Complete"), icon="check_circle")
    def complete(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        slot = self.row(request, object_id, "complete")
        return self.ask(
            request,
            ConfirmForm(posted(request)),
            obj=slot,
            title=gettext("Complete the slot"),
            submit=gettext("Complete"),
            intro=gettext("Without waiting for the remaining reports."),
            done=gettext("The slot is completed."),
            do=lambda given: services.complete_slot(slot.pk, actor=signed_in(request)),
        )

    @action(description=_("Cancel slot"), icon="cancel", variant=ActionVariant.DANGER)
    def cancel(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        slot = self.row(request, object_id, "cancel")
        return self.ask(
            request, ReasonForm(posted(request)), obj=slot, title=gettext("Cancel the slot"), danger=True,
            intro=gettext("All telescopes that are held for it become free, and their holders are told."),
            done=gettext("The slot is cancelled."),
            do=lambda given: services.cancel_slot(slot.pk, reason=given["reason"], actor=signed_in(request)),
        )  # fmt: skip


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0
