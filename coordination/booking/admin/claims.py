"""Claims in the administration: withdrawn, and shifts accepted, by schedulers of those who hold them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from coordination.campaigns.admin import acts_for
from coordination.common.desk import ConfirmForm, DeskAdmin, OptionalReasonForm, link, posted
from observatories.admin import signed_in

from .. import services
from ..models import Claim, Slot
from ..services.telling import period_text
from .shared import CLAIM_COLOURS, at_place, paragraphs


@admin.register(Claim)
class ClaimAdmin(DeskAdmin):
    list_display = ("claim", "shown_state", "slot_period", "target", "campaign", "seat_names", "created_at")
    list_filter = ("state", ("organisation", admin.RelatedOnlyFieldListFilter))
    search_fields = ("organisation__name", "slot__target__designation", "slot__target__name", "slot__campaign__title")
    search_help_text = _("organisation, target or campaign")
    when_empty = _("There is no claim here. Seats are claimed on the page of a slot: see Slots, filter to be claimed.")
    fields = ("organisation", "shown_state", "campaign", "slot_link", "target", "seat_times", "note", "shift")
    readonly_fields = ("shown_state", "campaign", "slot_link", "target", "seat_times", "shift")
    actions_detail = ("accept_shift", "withdraw")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        claims = super().get_queryset(request).select_related("organisation", "slot__target", "slot__campaign")
        return claims.prefetch_related("seats__telescope__observatory")

    @display(description=_("organisation"), ordering="organisation__name")
    def claim(self, claim: Claim) -> str:
        return str(claim.organisation)

    @display(description=_("state"), ordering="state", label=CLAIM_COLOURS)
    def shown_state(self, claim: Claim) -> str:
        return claim.state

    @display(description=_("slot"), ordering="slot__starts_at")
    def slot_period(self, claim: Claim) -> str:
        return period_text(claim.slot.starts_at, claim.slot.ends_at)

    @display(description=_("slot"))
    def slot_link(self, claim: Claim) -> str:
        return link(claim.slot, self.slot_period(claim))

    @display(description=_("target"))
    def target(self, claim: Claim) -> str:
        return str(claim.slot.target)

    @display(description=_("campaign"))
    def campaign(self, claim: Claim) -> str:
        return link(claim.slot.campaign)

    @display(description=_("telescopes"))
    def seat_names(self, claim: Claim) -> str:
        return ", ".join(seat.telescope.name for seat in claim.seats.all())

    @display(description=_("seats"))
    def seat_times(self, claim: Claim) -> str:
        return paragraphs(
            (seat.telescope, at_place(seat.telescope, seat.observe_from, seat.observe_until))
            for seat in claim.seats.all()
        )

    @display(description=_("shift"))
    def shift(self, claim: Claim) -> str:
        if claim.slot.proposed_shift_s is None:
            return "none is proposed"
        accepted = "accepted" if claim.accepts_shift else "waits for the holder's word"
        return f"{claim.slot.proposed_shift_s / 60.0:+.1f} min proposed: {accepted}"

    def offered(self, request: HttpRequest, obj: Claim) -> set[str]:
        names: set[str] = set()
        if obj.state not in Claim.ACTIVE or not acts_for(request, obj.organisation_id):
            return names
        if obj.slot.state in Slot.CLAIMABLE:
            names.add("withdraw")
        if obj.slot.proposed_shift_s is not None and obj.state in Claim.HOLDING and not obj.accepts_shift:
            names.add("accept_shift")
        return names

    @action(description=_("Withdraw"), icon="undo", variant=ActionVariant.DANGER)
    def withdraw(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        claim = self.row(request, object_id, "withdraw")
        return self.ask(
            request,
            OptionalReasonForm(posted(request)),
            obj=claim,
            title=gettext("Withdraw the claim"),
            submit=gettext("Withdraw"),
            danger=True,
            done=gettext("The claim is withdrawn, its telescopes are free."),
            intro=gettext(
                "All its seats are given back. Who waits is tried next; a slot that falls below its quorum seeks a "
                "replacement."
            ),
            do=lambda given: services.withdraw_claim(claim.pk, reason=given["reason"], actor=signed_in(request)),
        )

    @action(description=_("Accept shift"), icon="check", variant=ActionVariant.PRIMARY)
    def accept_shift(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        claim = self.row(request, object_id, "accept_shift")
        return self.ask(
            request,
            ConfirmForm(posted(request)),
            obj=claim,
            title=gettext("Accept the shift"),
            submit=gettext("Accept"),
            intro=self.shift(claim),
            done=gettext("The shift is accepted."),
            do=lambda given: services.accept_shift(claim.pk, actor=signed_in(request)),
        )
