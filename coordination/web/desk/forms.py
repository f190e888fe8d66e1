"""Forms of the desk."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from coordination.common.actors import Actor
from coordination.common.desk import utc_field
from observatories.horizon_tables import read_table
from observatories.models import Telescope
from observatories.services.recurring import Recurrence
from observatories.sites.horizon import HorizonError
from targets.models import Target
from targets.services.lookup import UnknownDesignationError, resolve

_MOST_BYTES = 200_000


class HorizonForm(forms.Form):
    """The mask typed, or read from a file, which then counts."""

    points = forms.CharField(
        label=_("points"), required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 12, "class": "desk-mono", "spellcheck": "false"}),
        help_text=_("azimuth, altitude in degrees, a point a line; north is 0, east 90; empty: no mask"),
    )  # fmt: skip
    table = forms.FileField(
        label=_("or a CSV file"), required=False, help_text=_("the same two columns; a heading is skipped"),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        file = given.get("table")
        name, text = ("points", given.get("points", "")) if file is None else ("table", self._text_of(file))
        try:
            given["mask"] = read_table(text) if text and text.strip() else []
        except HorizonError as error:
            self.add_error(name, f"{str(error)[0].upper()}{str(error)[1:]}.")
        return given

    def _text_of(self, file: Any) -> str:
        if file.size > _MOST_BYTES:
            self.add_error("table", _("The file is too large for a horizon mask."))
            return ""
        content: bytes = file.read()
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            return content.decode("latin-1")


EVERY = {1: _("every day"), 7: _("every week"), 14: _("every second week"), 28: _("every fourth week")}


class ClosureForm(forms.Form):
    """One closure, or one that recurs."""

    telescope = forms.ModelChoiceField(queryset=Telescope.objects.none(), widget=UnfoldAdminSelectWidget())
    starts_at = utc_field("closed from")
    ends_at = utc_field("closed until")
    reason = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget())
    every_days = forms.TypedChoiceField(
        label=_("again"), coerce=int, required=False, initial=0, widget=UnfoldAdminSelectWidget(),
        choices=[(0, _("only once")), *EVERY.items()],
    )  # fmt: skip
    until = forms.DateField(
        label=_("until"), required=False, widget=UnfoldAdminDateWidget(),
        help_text=_("local date of the last one; the local time of day stays the same where the clocks change"),
    )  # fmt: skip

    def __init__(self, *args: Any, telescopes: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["telescope"]
        field.queryset = telescopes

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("every_days") and not given.get("until") and "until" not in self.errors:
            self.add_error("until", _("Until when does it recur?"))
        return given


class SinceForm(forms.Form):
    """From when on the rest of a recurring closure is meant."""

    since = forms.DateField(
        label=_("from the local date"), widget=UnfoldAdminDateWidget(),
        help_text=_("what lies before it, and what has begun, stays as it is"),
    )  # fmt: skip


class RestForm(SinceForm):
    """What the rest of a recurring closure is to be."""

    starts_at = utc_field("first one closed from")
    ends_at = utc_field("first one closed until")
    reason = ClosureForm.base_fields["reason"]
    every_days = forms.TypedChoiceField(
        label=_("again"), coerce=int, choices=list(EVERY.items()), widget=UnfoldAdminSelectWidget()
    )
    until = forms.DateField(
        label=_("until"), widget=UnfoldAdminDateWidget(), help_text=ClosureForm.base_fields["until"].help_text
    )

    @property
    def recurrence(self) -> Recurrence:
        given = self.cleaned_data
        return Recurrence(given["starts_at"], given["ends_at"], given["every_days"], given["until"])


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("MPC code"), max_length=4, min_length=3, widget=UnfoldAdminTextInputWidget(),
        help_text=_("such as W84; name and place come from the list of the Minor Planet Center"),
    )  # fmt: skip


class DesignationForm(forms.Form):
    designation = forms.CharField(
        label=_("one more designation"), max_length=80, widget=UnfoldAdminTextInputWidget(),
        help_text=_("number, provisional designation (also packed) or name; what providers call it comes by itself"),
    )  # fmt: skip


class OtherTargetForm(forms.Form):
    """The other of two targets, by whatever it is called."""

    other = forms.CharField(
        label=_("the other target"), max_length=200, widget=UnfoldAdminTextInputWidget(),
        help_text=_("any designation, such as 99942, Apophis, 2004 MN4 or K04M04N"),
    )  # fmt: skip

    def __init__(self, *args: Any, target: Target, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.target, self.actor = target, actor

    def clean_other(self) -> Target:
        try:
            other = resolve(self.cleaned_data["other"], self.actor)
        except UnknownDesignationError as error:
            raise forms.ValidationError(error.detail) from error
        if other == self.target:
            raise forms.ValidationError(_("This is the same target."))
        return other


class MergeForm(forms.Form):
    reason = forms.CharField(
        label=_("reason"), max_length=60, widget=UnfoldAdminTextInputWidget(),
        help_text=_("such as the circular that identifies them; it is kept in the history of the target"),
    )  # fmt: skip
