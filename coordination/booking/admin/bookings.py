"""Bookings in the administration: local ones entered, moved, confirmed and released; results reported on all."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from coordination.campaigns.admin import acts_for, acts_for_any
from coordination.common import clock
from coordination.common.desk import (
    ConfirmForm,
    DeskAdmin,
    OptionalReasonForm,
    actor_for,
    given_instant,
    link,
    posted,
    utc_field,
)
from coordination.common.problems import DomainError
from observatories.admin import signed_in
from observatories.models import Telescope
from targets.models import Target

from .. import services
from ..models import Booking, Slot
from ..services.telling import period_text
from .grants import own_telescopes
from .shared import BOOKING_COLOURS, at_place, other_booking, period_panel, print_links, typed_period


class MoveForm(forms.Form):
    telescope = forms.ModelChoiceField(queryset=Telescope.objects.none(), widget=UnfoldAdminSelectWidget())
    observe_from = utc_field(_("Observe from"))
    observe_until = utc_field(_("Observe until"), help_text=_("setup and slew are occupied before it too"))

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        telescope: Any = self.fields["telescope"]
        telescope.queryset = own_telescopes(request)

    class Media:
        js = ("booking/period.js",)


class BookForm(MoveForm):
    target = forms.ModelChoiceField(queryset=Target.objects.none(), required=False, help_text=_("if there is one"))
    purpose = forms.CharField(required=False, max_length=200, widget=UnfoldAdminTextInputWidget())
    hold = forms.BooleanField(required=False, label=_("Hold it only: not confirmed yet"), widget=UnfoldBooleanWidget())

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, **kwargs)
        field: Any = self.fields["target"]
        field.queryset = Target.objects.visible_to(actor_for(request))
        field.widget = AutocompleteSelect(Booking._meta.get_field("target"), admin.site)
        field.widget.choices = field.choices


class ResultForm(forms.Form):
    result = forms.ChoiceField(choices=Booking.Result, widget=UnfoldAdminSelectWidget())
    note = forms.CharField(required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))


def filled_in(request: HttpRequest) -> dict[str, Any]:
    """What a button of another page fills the form with; what makes no sense is left out."""
    given = {name: request.GET[name] for name in ("telescope", "target") if request.GET.get(name, "").isdecimal()}
    times = {name: given_instant(request, name) for name in ("observe_from", "observe_until")}
    return {
        **given,
        **{name: value for name, value in times.items() if value},
        "purpose": request.GET.get("purpose", ""),
    }


BULK_LABELS = {
    "confirm_chosen": _("Confirm"),
    "release_chosen": _("Release"),
    "report_chosen": _("Mark as observed or failed"),
}
BULK_ACTIONS = tuple(BULK_LABELS)


class ByWhom(admin.SimpleListFilter):
    title = _("by")
    parameter_name = "by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("claim", gettext("claims on slots")), ("staff", gettext("local staff"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("claim", "staff"):
            return queryset
        return queryset.filter(claim__isnull=self.value() == "staff")


@admin.register(Booking)
class BookingAdmin(DeskAdmin):
    list_display = (
        "period", "telescope", "organisation", "what_for", "shown_state", "is_disturbed", "result",
    )  # fmt: skip
    list_display_links = ("period",)
    list_filter = ("state", ByWhom, "result", "disturbed", ("telescope", admin.RelatedOnlyFieldListFilter))
    date_hierarchy = "starts_at"
    search_fields = ("telescope__name", "telescope__observatory__mpc_code", "purpose")
    search_help_text = _("telescope, MPC code or purpose")
    when_empty = _("There is no booking here. Claims on slots make bookings; local use is entered with Add booking.")
    fields = ("telescope", "organisation", "shown_state", "observation", "occupied", "what_for", "slot", "is_disturbed",
              "prints", "result", "result_note", "result_at")  # fmt: skip
    readonly_fields = ("shown_state", "observation", "occupied", "what_for", "slot", "is_disturbed", "prints")
    actions_detail = ("report", "confirm", "move", "release")
    actions = BULK_ACTIONS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what of them may be told: who lends a telescope need not know what for."""
        actor = actor_for(request)
        targets = Target.objects.visible_to(actor).filter(pk=OuterRef("target"))
        slots = Slot.objects.visible_to(actor).filter(pk=OuterRef("claim__slot"))
        bookings = super().get_queryset(request).annotate(names_target=Exists(targets), shows_slot=Exists(slots))
        return bookings.select_related("telescope__observatory", "organisation", "target", "claim__slot")

    @display(description=_("observation"), ordering="observe_from")
    def period(self, booking: Booking) -> str:
        return period_text(booking.observe_from, booking.observe_until)

    @display(description=_("observation"))
    def observation(self, booking: Booking) -> str:
        return at_place(booking.telescope, booking.observe_from, booking.observe_until)

    @display(description=_("occupied, with setup and slew"))
    def occupied(self, booking: Booking) -> str:
        return f"{booking.starts_at:%Y-%m-%d %H:%M:%S} to {booking.ends_at:%Y-%m-%d %H:%M:%S} UTC"

    @display(description=_("for"))
    def what_for(self, booking: Any) -> str:
        target = booking.target if booking.target is None or booking.names_target else "a target that is not public"
        return ", ".join(str(each) for each in (target, booking.purpose) if each) or "-"

    @display(description=_("slot"))
    def slot(self, booking: Any) -> str:
        if booking.claim is None:
            return "local use"
        return link(booking.claim.slot) if booking.shows_slot else "of a campaign that is not public"

    @display(description=_("state"), ordering="state", label=BOOKING_COLOURS)
    def shown_state(self, booking: Booking) -> str:
        return booking.state

    @display(description=_("disturbed"), label={"closed": "danger"})
    def is_disturbed(self, booking: Booking) -> str | None:
        return "closed" if booking.disturbed else None

    @display(description=_("for the dome"))
    def prints(self, booking: Any) -> str:
        return print_links(booking, with_target=booking.target is not None and booking.names_target)

    def further(self, request: HttpRequest, error: DomainError) -> str:
        return other_booking(request, error)

    def offered(self, request: HttpRequest, obj: Booking) -> set[str]:
        names: set[str] = set()
        ours = acts_for(request, obj.organisation_id)
        if not ours and not acts_for(request, obj.telescope.organisation_id):
            return names
        reportable = (Booking.State.CONFIRMED, Booking.State.DONE, Booking.State.FAILED)
        if obj.state in reportable and clock.now() >= obj.observe_from:
            names.add("report")
        if ours and obj.claim is None and obj.state in Booking.ACTIVE:
            names |= {"move", "release"}
            if obj.state == Booking.State.HELD:
                names.add("confirm")
        return names

    def has_add_permission(self, request: HttpRequest) -> bool:
        return acts_for_any(request)

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.require_adding(request)

        def book(given: dict[str, Any]) -> Model:
            telescope, target = given.pop("telescope"), given.pop("target")
            return services.book_telescope(
                telescope.pk, target_id=target.pk if target else None, actor=signed_in(request), **given
            )

        form = BookForm(posted(request), request=request, initial=filled_in(request))
        return self.ask(
            request,
            form,
            title=gettext("Book a telescope"),
            submit=gettext("Book"),
            do=book,
            aside=period_panel(typed_period(form)),
            intro=gettext("For local use of a telescope of your own organisation."),
            done=gettext("The telescope is booked."),
        )

    def for_each(self, request: HttpRequest, bookings: QuerySet[Any], do: Callable[[int], object]) -> None:
        """One service call a booking; what is refused is told, with the reason, and the others are done."""
        done = 0
        for booking in bookings:
            try:
                do(booking.pk)
            except DomainError as error:
                refused = format_html("{}, {}: {}", booking.telescope, self.period(booking), error.detail)
                self.message_user(request, refused, messages.ERROR)
            else:
                done += 1
        if done:
            told = ngettext("%(n)d booking is changed.", "%(n)d bookings are changed.", done) % {"n": done}
            self.message_user(request, told, messages.SUCCESS)

    @admin.action(description=BULK_LABELS["confirm_chosen"])
    def confirm_chosen(self, request: HttpRequest, bookings: QuerySet[Any]) -> None:
        self.for_each(request, bookings, lambda pk: services.confirm_booking(pk, actor=signed_in(request)))

    @admin.action(description=BULK_LABELS["release_chosen"])
    def release_chosen(self, request: HttpRequest, bookings: QuerySet[Any]) -> None:
        self.for_each(request, bookings, lambda pk: services.release_booking(pk, actor=signed_in(request)))

    @admin.action(description=BULK_LABELS["report_chosen"])
    def report_chosen(self, request: HttpRequest, bookings: QuerySet[Any]) -> HttpResponse:
        """One result and one note for all: the page of the list asks for them, and is sent once more with them."""
        asked = request.POST if "result" in request.POST else None
        again = [("action", "report_chosen"), ("index", "0"), *(("_selected_action", each.pk) for each in bookings)]

        def report(given: dict[str, Any]) -> None:
            self.for_each(request, bookings, lambda pk: services.report_result(pk, actor=signed_in(request), **given))

        return self.ask(
            request, ResultForm(asked), title="What came of them", submit="Report for all", do=report, done="",
            intro="The same result and note for each of these bookings:", then=request.get_full_path(),
            lines=[f"{each.telescope}, {self.period(each)}, {self.what_for(each)}" for each in bookings],
            aside=format_html_join("", '<input type="hidden" name="{}" value="{}">', again),
        )  # fmt: skip

    @action(description=_("Report result"), icon="task_alt", variant=ActionVariant.PRIMARY)
    def report(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        booking = self.row(request, object_id, "report")
        initial = {"result": booking.result, "note": booking.result_note}
        return self.ask(
            request,
            ResultForm(posted(request), initial=initial),
            obj=booking,
            title=gettext("What came of it"),
            submit=gettext("Report"),
            intro=gettext(
                "It may be corrected later. The slot is completed when it is over and everybody has reported."
            ),
            done=gettext("The result is on record."),
            do=lambda given: services.report_result(booking.pk, actor=signed_in(request), **given),
        )

    @action(description=_("Confirm"), icon="check", variant=ActionVariant.PRIMARY)
    def confirm(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        booking = self.row(request, object_id, "confirm")
        return self.ask(
            request,
            ConfirmForm(posted(request)),
            obj=booking,
            title=gettext("Confirm the booking"),
            submit=gettext("Confirm"),
            done=gettext("The booking is confirmed."),
            do=lambda given: services.confirm_booking(booking.pk, actor=signed_in(request)),
        )

    @action(description=_("Move"), icon="schedule")
    def move(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        booking = self.row(request, object_id, "move")
        initial = {name: getattr(booking, name) for name in ("telescope", "observe_from", "observe_until")}
        initial |= {name: value for name, value in filled_in(request).items() if name in initial}  # as it was dragged

        def move(given: dict[str, Any]) -> Booking:
            telescope = given.pop("telescope")
            return services.move_booking(booking.pk, telescope_id=telescope.pk, actor=signed_in(request), **given)

        form = MoveForm(posted(request), initial=initial, request=request)
        shown = {**typed_period(form), **({"target": booking.target_id} if booking.names_target else {})}
        return self.ask(
            request, form, obj=booking, do=move, aside=period_panel(shown, besides=booking.pk),
            title=gettext("Move the booking"), submit=gettext("Move"), done=gettext("The booking is moved."),
        )  # fmt: skip

    @action(description=_("Release"), icon="undo", variant=ActionVariant.DANGER)
    def release(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        booking = self.row(request, object_id, "release")
        return self.ask(
            request,
            OptionalReasonForm(posted(request)),
            obj=booking,
            title=gettext("Release the booking"),
            submit=gettext("Release"),
            danger=True,
            done=gettext("The telescope is free."),
            do=lambda given: services.release_booking(booking.pk, reason=given["reason"], actor=signed_in(request)),
        )
