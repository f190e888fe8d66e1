"""Administration of rows that are only looked at there, and changed by buttons: each asks with a form for what its
service needs, and shows what the service refuses on the form.
"""

import datetime as dt
from collections.abc import Callable, Collection
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import DateTimeField, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSplitDateTimeWidget, UnfoldAdminTextareaWidget

from .actors import Actor, actor_of
from .admin import ExportingAdmin, HistoryAdmin
from .problems import DomainError


class DeskAdmin(HistoryAdmin, ExportingAdmin):
    """What an organisation may know of, every member of staff of it may look at; what may be done with it now is said
    by `offered`, and checked again by the services.
    """

    actions: Any = None
    show_full_result_count = False
    list_fullwidth = True
    list_per_page = 50
    refused_fields: dict[str, str] = {}  # names that services give to fields -> names on the forms

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        visible: QuerySet[Any] = rows.visible_to(actor_for(request))
        return visible

    def further(self, request: HttpRequest, error: DomainError) -> str:
        """What this desk can add to a refusal, as HTML."""
        return ""

    def offered(self, request: HttpRequest, obj: Any) -> Collection[str]:
        """Names of the actions that this person may take on the row as it is."""
        return ()

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        obj = self.get_object(request, unquote(str(object_id)))
        offered = self.offered(request, obj) if obj is not None else ()
        prefix = f"{self.opts.app_label}_{self.opts.model_name}_"
        return [
            each
            for each in super().get_actions_detail(request, object_id)
            if each.action_name[len(prefix) :] in offered
        ]

    def row(self, request: HttpRequest, object_id: Any, action: str = "") -> Any:
        """The row of an action; what one may not see is not there, and whom it is not offered is not asked for it.

        What is sent nevertheless is for the service to refuse, which can say why.
        """
        obj = self.get_object(request, unquote(str(object_id)))
        if obj is None:
            raise Http404(f"There is no such {self.opts.verbose_name}.")
        if action and request.method != "POST" and action not in self.offered(request, obj):
            raise PermissionDenied
        return obj

    def require_adding(self, request: HttpRequest) -> None:
        if not self.has_add_permission(request):
            raise PermissionDenied

    def ask(
        self,
        request: HttpRequest,
        form: forms.BaseForm,
        *,
        title: str,
        do: Callable[[dict[str, Any]], Any],
        done: str | Callable[[Any], str],
        obj: Model | None = None,
        intro: str = "",
        lines: Collection[str] = (),
        choices: Collection[tuple[object, str]] = (),
        submit: str = "",
        danger: bool = False,
        then: str = "",
        aside: str = "",
    ) -> HttpResponse:
        """Show a form; once it is filled in, call the service (`do`, with the cleaned data) and go to the row that it
        returns, to `then`, or back to the row. What the service refuses is shown on the form, at its field.

        done: what is told then, if anything; lines: shown above the form; choices: links to the same form for
        something else, as (text, address); aside: HTML between the fields and the button.
        """
        if request.method == "POST" and form.is_valid():
            try:
                result = do(form.cleaned_data)
            except DomainError as error:
                show_refusal(form, error, self.refused_fields, self.further(request, error))
            else:
                if told := done if isinstance(done, str) else done(result):
                    self.message_user(request, told, messages.SUCCESS)
                to = result if isinstance(result, Model) and obj is None else obj
                return HttpResponseRedirect(
                    then or (change_address(to) if to is not None else list_address(self.model))
                )
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "original": obj,
            "form": form,
            "intro": intro,
            "lines": lines,
            "choices": choices,
            "button": submit or title,
            "danger": danger,
            "aside": aside,
            "back": change_address(obj) if obj is not None else list_address(self.model),
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "desk/ask.html", context)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_staff", False))  # the sign-in page asks for nobody too

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True  # of what get_queryset lets through

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(db_field, DateTimeField):
            field.label = f"{field.label} (UTC)"
        return field


def posted(request: HttpRequest) -> Any:
    """What a form is filled with; None before it was sent."""
    return request.POST if request.method == "POST" else None


def actor_for(request: HttpRequest) -> Actor:
    """Who asks, looked up once a request."""
    known: Actor | None = getattr(request, "_desk_actor", None)
    if known is None:
        known = actor_of(request.user)
        request._desk_actor = known  # type: ignore[attr-defined]
    return known


def show_refusal(form: forms.BaseForm, error: DomainError, names: dict[str, str], further: str = "") -> None:
    """At the field that the service names, if the form has it; else above the form. `further` is HTML."""
    field = names.get(error.field, error.field)
    expected = f" Expected: {error.expected}." if error.expected and error.expected not in error.detail else ""
    told = format_html("{}{} {}", error.detail, expected, further) if further else f"{error.detail}{expected}"
    form.add_error(field if field in form.fields else None, told)


def given_instant(request: HttpRequest, name: str) -> dt.datetime | None:
    """An instant that the address of a form fills in, with an offset; None for anything else."""
    try:
        instant = parse_datetime(request.GET.get(name, ""))
    except ValueError:
        return None
    return None if instant is None or instant.tzinfo is None else instant.astimezone(dt.UTC)


def change_address(obj: Model) -> str:
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


def list_address(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def action_address(obj: Model, action: str) -> str:
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_{action}", args=[obj.pk])


def link(obj: Model | None, text: object = "", action: str = "") -> str:
    """To the page of a row in the administration, or of an action on it."""
    if obj is None:
        return "-"
    address = action_address(obj, action) if action else change_address(obj)
    return anchor(address, text or obj)


def anchor(address: str, text: object) -> str:
    """In the colour of links in the administration."""
    return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', address, text)


def utc_field(label: Any, *, required: bool = True, help_text: Any = "") -> forms.SplitDateTimeField:
    return forms.SplitDateTimeField(
        label=format_lazy("{} (UTC)", label),
        required=required,
        help_text=help_text,
        widget=UnfoldAdminSplitDateTimeWidget(),
    )


class ConfirmForm(forms.Form):
    """Nothing to fill in: the button is enough."""


class ReasonForm(forms.Form):
    reason = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), help_text=_("everybody concerned is told")
    )


class OptionalReasonForm(forms.Form):
    reason = forms.CharField(required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))
