"""Targets at the desk: versions of their orbits for who may know of them; their names, and merging two that are one
object, for administrators.
"""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from coordination.common import clock
from coordination.common.desk import actor_for, change_address, posted, show_refusal
from coordination.common.problems import DomainError
from observatories.admin import signed_in
from targets.designations import key_of
from targets.models import Target
from targets.services.merge_preview import MergePreview, preview_merge
from targets.services.merging import in_order_of_staying, merge_targets
from targets.services.naming import OtherTargetError, add_designation, remove_designation
from targets.services.orbit_versions import versions_of

from .forms import DesignationForm, MergeForm, OtherTargetForm
from .frame import page
from .orbit_versions import growth_figure, rows_of


def orbits_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Versions of the orbit, what changed between them, and how the uncertainty grows."""
    target = _known(request, pk)
    found = versions_of(target)
    return page(
        request, "target_orbits", _("Orbit versions of %(target)s") % {"target": target}, target=target, found=found,
        rows=rows_of(found), figure=growth_figure(target, found, clock.now()), ends_at=found.dates[-1],
    )  # fmt: skip


def names_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Designations, one more, one less."""
    target = _decided(request, pk)
    form = DesignationForm(posted(request) if "add" in request.POST else None)
    try:
        if "add" in request.POST and form.is_valid():
            added = add_designation(target.pk, form.cleaned_data["designation"], actor=signed_in(request))
            return _done(request, target, _("It is found as %(name)s too.") % {"name": added})
        if request.POST.get("remove", "").isdecimal():
            remove_designation(target.pk, int(request.POST["remove"]), actor=signed_in(request))
            return _done(request, target, _("It is not found under that designation any more."))
    except OtherTargetError as error:
        query = urlencode({"other": error.other.designation})
        address = f"{reverse('desk:target-merge', args=[target.pk])}?{query}"
        offer = format_html('<a href="{}">{}</a>', address, _("Are they one object? Look at merging them."))
        show_refusal(form, error, {}, offer)
    except DomainError as error:
        if form.is_bound:
            show_refusal(form, error, {})
        else:
            messages.error(request, error.detail)
    names = [(each, each.key == key_of(target.designation)) for each in target.designations.all()]
    return page(
        request, "target_names", _("Names of %(target)s") % {"target": target}, target=target, names=names, form=form
    )  # fmt: skip


def merge_page(request: HttpRequest, pk: int) -> HttpResponse:
    """First the other target, then what it comes to, then a reason and the button."""
    target = _decided(request, pk)
    given = posted(request) or request.GET
    choice = OtherTargetForm(given if "other" in given else None, target=target, actor=actor_for(request))
    confirm, preview = MergeForm(posted(request)), None
    if choice.is_bound and choice.is_valid():
        preview = _preview(target, choice.cleaned_data["other"], given.get("keep", ""))
        if request.method == "POST" and confirm.is_valid():
            try:
                kept = merge_targets(
                    preview.kept.pk, preview.merged.pk, actor=signed_in(request),
                    reason=confirm.cleaned_data["reason"],
                )  # fmt: skip
            except DomainError as error:
                show_refusal(confirm, error, {"merged": "reason"})
            else:
                messages.success(request, _("%(target)s is one target now.") % {"target": kept})
                return HttpResponseRedirect(change_address(kept))
    return page(
        request, "target_merge", _("Merge %(target)s with another target") % {"target": target}, target=target,
        form=choice, confirm=confirm, preview=preview,
    )  # fmt: skip


def _known(request: HttpRequest, pk: int) -> Target:
    """Raises Http404 for a target that is not there, or that the person may not know of: both look the same."""
    found = Target.objects.visible_to(actor_for(request)).select_related("current_orbit").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _decided(request: HttpRequest, pk: int) -> Target:
    """The target of a page for administrators."""
    target = _known(request, pk)
    if not actor_for(request).sees_everything:
        raise PermissionDenied
    return target


def _preview(target: Target, other: Target, keep: str) -> MergePreview:
    """`keep`: the identifier of the one that stays; anything else leaves it to what they are called."""
    kept, merged = in_order_of_staying([target, other])
    if keep == str(merged.pk):
        kept, merged = merged, kept
    return preview_merge(kept, merged)


def _done(request: HttpRequest, target: Target, told: str) -> Any:
    messages.success(request, told)
    return HttpResponseRedirect(reverse("desk:target-names", args=[target.pk]))
