"""Closures at the desk: entered once or again and again, and the rest of those that recur changed or removed."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Min, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from coordination.booking.models import Booking
from coordination.common import clock
from coordination.common.desk import actor_for, posted, show_refusal
from coordination.common.intervals import Interval
from coordination.common.problems import DomainError
from observatories import services
from observatories.admin import signed_in
from observatories.models import RecurringClosure, Telescope
from observatories.people import may_schedule
from observatories.services.recurring import Recurrence, date_at, periods_of, rest_of

from .access import desk_telescopes, scheduled_organisations
from .forms import EVERY, ClosureForm, RestForm, SinceForm
from .frame import page

MOST_SHOWN = 60  # periods of a recurrence in its preview


def closure_page(request: HttpRequest) -> HttpResponse:
    """A closure, or one that recurs: first what it comes to and which bookings it falls over, then it is entered."""
    telescopes = desk_telescopes(request).filter(organisation__in=scheduled_organisations(request))
    if not telescopes:
        raise PermissionDenied
    initial = {"telescope": request.GET.get("telescope"), "every_days": 0}
    form = ClosureForm(posted(request), telescopes=telescopes, initial=initial)
    periods: list[Interval] = []
    disturbed: list[Booking] = []
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            periods = _periods(given)
            disturbed = _falls_over(given["telescope"], periods)
            if "save" in request.POST:
                return _close(request, given, len(disturbed))
        except DomainError as error:
            show_refusal(form, error, {})
    return page(
        request, "closure", _("Close a telescope"), form=form, periods=periods[:MOST_SHOWN], count=len(periods),
        disturbed=disturbed, zone=form.cleaned_data["telescope"].observatory.time_zone if periods else "",
        recurring=recurring_of(telescopes),
    )  # fmt: skip


def _recurrence(given: dict[str, Any]) -> Recurrence | None:
    if not given["every_days"]:
        return None
    return Recurrence(given["starts_at"], given["ends_at"], given["every_days"], given["until"])


def _periods(given: dict[str, Any]) -> list[Interval]:
    recurrence = _recurrence(given)
    if recurrence is not None:
        return periods_of(given["telescope"], recurrence)
    if given["ends_at"] <= given["starts_at"]:
        raise DomainError(_("A closure ends after it starts."), field="ends_at")
    return [(given["starts_at"], given["ends_at"])]


def _falls_over(telescope: Telescope, periods: list[Interval]) -> list[Booking]:
    overlaps = Q(pk=None)
    for start, end in periods:
        overlaps |= Q(starts_at__lt=end, ends_at__gt=start)
    bookings = Booking.objects.active().filter(overlaps, telescope=telescope).select_related("organisation")
    return list(bookings.order_by("starts_at")[:MOST_SHOWN])


def _close(request: HttpRequest, given: dict[str, Any], disturbed: int) -> HttpResponse:
    telescope, recurrence, actor = given["telescope"], _recurrence(given), signed_in(request)
    if recurrence is not None:
        made = services.add_closures(
            telescope_id=telescope.pk, recurrence=recurrence, reason=given["reason"], actor=actor
        )
    else:
        made = [
            services.add_closure(
                telescope_id=telescope.pk, starts_at=given["starts_at"], ends_at=given["ends_at"],
                reason=given["reason"], actor=actor,
            )
        ]  # fmt: skip
    told = ngettext("%(n)d closure is entered.", "%(n)d closures are entered.", len(made)) % {"n": len(made)}
    if disturbed:
        told += " " + ngettext(
            "The holder of %(n)d booking is told.", "The holders of %(n)d bookings are told.", disturbed
        ) % {"n": disturbed}
    messages.success(request, told)
    return HttpResponseRedirect(f"{reverse('admin:observatories_closure_changelist')}?q={telescope.name}")


# --- those that recur ------------------------------------------------------------------------------------------------
def recurring_of(telescopes: QuerySet[Telescope]) -> list[RecurringClosure]:
    """By telescope, those with something ahead: `ahead`, how many, and `next_at`, when. One query."""
    ahead = Q(closures__starts_at__gte=clock.now())
    found = RecurringClosure.objects.filter(telescope__in=telescopes).select_related("telescope__observatory")
    counted = found.annotate(ahead=Count("closures", filter=ahead), next_at=Min("closures__starts_at", filter=ahead))
    listed: list[Any] = list(counted.filter(ahead__gt=0).order_by("telescope__name", "telescope", "next_at"))
    for each in listed:
        each.how_often = how_often(each.every_days)
    return listed


def how_often(every_days: int) -> str:
    return str(EVERY.get(every_days) or _("every %(n)d days") % {"n": every_days})


def recurring_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The rest of a closure that recurs: other times, another reason or end, or none of it any more."""
    visible = RecurringClosure.objects.visible_to(actor_for(request))
    recurring = visible.select_related("telescope__observatory", "telescope__organisation").filter(pk=pk).first()
    if recurring is None:
        raise Http404
    if not may_schedule(request.user, recurring.telescope.organisation_id):
        raise PermissionDenied
    removing = "remove" in request.POST
    form = RestForm(None if removing else posted(request), initial=_as_it_is(recurring))
    leave = SinceForm(posted(request) if removing else None, initial={"since": form["since"].value()}, prefix="rest")
    periods: list[Interval] = []
    asked = leave if removing else form
    if request.method == "POST" and asked.is_valid():
        try:
            if removing:
                return _removed(request, recurring, leave)
            periods = periods_of(recurring.telescope, form.recurrence)
            if "save" in request.POST:
                return _changed(request, recurring, form)
        except DomainError as error:
            show_refusal(asked, error, {})
    return page(
        request, "recurring", _("A recurring closure of %(telescope)s") % {"telescope": recurring.telescope},
        recurring=recurring, how_often=how_often(recurring.every_days), form=form, leave=leave,
        periods=periods[:MOST_SHOWN], count=len(periods), disturbed=_falls_over(recurring.telescope, periods),
        zone=recurring.telescope.observatory.time_zone, closures=recurring.closures.order_by("starts_at"),
    )  # fmt: skip


def _as_it_is(recurring: RecurringClosure) -> dict[str, Any]:
    """The form filled in so that it would change nothing: from the next one on."""
    telescope, today = recurring.telescope, date_at(recurring.telescope, clock.now())
    first = rest_of(recurring, today).first()
    given = {"every_days": recurring.every_days, "until": recurring.until, "reason": recurring.reason}
    if first is None:
        return {**given, "since": today}
    since = date_at(telescope, first.starts_at)
    return {**given, "since": since, "starts_at": first.starts_at, "ends_at": first.ends_at}


def _changed(request: HttpRequest, recurring: RecurringClosure, form: RestForm) -> HttpResponse:
    given = form.cleaned_data
    change = services.change_rest(
        recurring.pk, since=given["since"], recurrence=form.recurrence, reason=given["reason"],
        actor=signed_in(request),
    )  # fmt: skip
    numbers = {"kept": change.kept, "removed": change.removed, "added": change.added}
    messages.success(
        request, _("Closures that stay as they were: %(kept)d, removed: %(removed)d, entered: %(added)d.") % numbers
    )
    return HttpResponseRedirect(reverse("desk:recurring", args=[recurring.pk]))


def _removed(request: HttpRequest, recurring: RecurringClosure, form: SinceForm) -> HttpResponse:
    count = services.remove_rest(recurring.pk, since=form.cleaned_data["since"], actor=signed_in(request))
    told = ngettext("%(n)d closure is removed.", "%(n)d closures are removed.", count) % {"n": count}
    messages.success(request, told)
    return HttpResponseRedirect(f"{reverse('desk:close')}?telescope={recurring.telescope_id}")
