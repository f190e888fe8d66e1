"""The menu of the administration: what is done daily first; everything else is under all applications."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from coordination.campaigns.admin import manages_any


def menu(request: HttpRequest) -> list[dict[str, Any]]:
    return [
        {
            "title": _("The telescopes"),
            "items": [
                _entry(_("Tonight"), "nights_stay", reverse("desk:tonight")),
                _entry(_("Calendar"), "calendar_month", reverse("desk:calendar")),
                _entry(_("Bookings"), "event", _list("booking_booking")),
                _entry(_("Telescopes"), "tune", _list("observatories_telescope")),
                _entry(_("Closures"), "block", _list("observatories_closure")),
                _entry(_("Close a telescope"), "event_busy", reverse("desk:close")),
                _entry(_("Observatories"), "public", _list("observatories_observatory")),
                *_for_managers(request),
            ],
        },
        {
            "title": _("Joint observation"),
            "separator": True,
            "items": [
                _entry(_("Campaigns"), "campaign", _list("campaigns_campaign")),
                _entry(_("Slots"), "groups", _list("booking_slot")),
                _entry(_("Claims"), "back_hand", _list("booking_claim")),
                _entry(_("Grants"), "handshake", _list("booking_telescopegrant")),
            ],
        },
        {
            "title": _("What is observed"),
            "separator": True,
            "items": [
                _entry(_("Targets"), "my_location", _list("targets_target")),
                _entry(_("Close approaches"), "near_me", _list("targets_closeapproach")),
                _entry(_("Risk"), "warning", _list("targets_riskassessment")),
                _entry(_("Unconfirmed objects"), "help", _list("targets_candidate")),
                _entry(_("Windows"), "visibility", _list("visibility_visibilitywindow")),
            ],
        },
        {
            "title": _("People and systems"),
            "separator": True,
            "items": [
                _entry(_("Invitations"), "group_add", _list("observatories_invitation")),
                _entry(_("Notices"), "notifications", _list("partners_notice")),
                _entry(_("All models"), "apps", reverse("admin:index")),
            ],
        },
    ]


def _for_managers(request: HttpRequest) -> list[dict[str, Any]]:
    if not manages_any(request):
        return []
    return [_entry(_("Add observatory by code"), "add_location_alt", reverse("desk:observatory"))]


def _entry(title: str, icon: str, link: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": link}


def _list(name: str) -> str:
    return reverse(f"admin:{name}_changelist")
