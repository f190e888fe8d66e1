"""Organisations, people, observatories, telescopes and closures in the administration."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import DateTimeField, Exists, Field, Model, OuterRef, QuerySet, URLField
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import action
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from coordination.common.actors import actor_of
from coordination.common.admin import (
    DiscreetAdmin,
    ExportingAdmin,
    HistoryAdmin,
    PublicAdmin,
    ReadOnlyAdmin,
    ReadOnlyInline,
)
from coordination.common.desk import anchor
from coordination.common.problems import DomainError

from . import services
from .models import Closure, EarthOrientationTable, Membership, Observatory, Organisation, Telescope, User
from .people import may_manage, may_schedule, organisations_with_role
from .services.telescopes import OF_ADMINISTRATORS

admin.site.unregister(Group)


def signed_in(request: HttpRequest) -> User:
    """Whose request it is; the administration lets nobody else in."""
    assert isinstance(request.user, User)
    return request.user


class ServiceAdmin(HistoryAdmin, ExportingAdmin):
    """Rows that a service writes. What it refuses beyond the checks of the form is shown above the form."""

    show_full_result_count = False
    list_fullwidth = True
    warn_unsaved_form = True

    def create(self, request: HttpRequest, form: forms.ModelForm) -> Model:
        raise NotImplementedError

    def update(self, request: HttpRequest, pk: int, changes: dict[str, Any]) -> None:
        raise NotImplementedError

    def remove(self, request: HttpRequest, pk: int) -> None:
        raise NotImplementedError

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        if change:
            self.update(request, obj.pk, {name: form.cleaned_data[name] for name in form.changed_data})
        else:
            obj.pk = self.create(request, form).pk
            obj._state.adding = False

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        self.remove(request, obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for pk in queryset.values_list("pk", flat=True):
            self.remove(request, pk)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DomainError as error:
            return self._back(request, error)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().delete_view(request, *args, **kwargs)
        except DomainError as error:
            return self._back(request, error)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().changelist_view(request, *args, **kwargs)
        except DomainError as error:
            return self._back(request, error)

    def _back(self, request: HttpRequest, error: DomainError) -> HttpResponse:
        self.message_user(request, error.detail, messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())


class MembershipInline(TabularInline):
    model = Membership
    autocomplete_fields = ("user", "organisation")
    extra = 0
    tab = True


@admin.register(Organisation)
class OrganisationAdmin(HistoryAdmin, ExportingAdmin, PublicAdmin):
    list_display = ("name", "slug", "website", "is_demo")
    list_filter = ("is_demo",)
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields = ("created_at",)
    inlines = (MembershipInline,)
    show_full_result_count = False

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, URLField):
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ExportingAdmin, DiscreetAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "last_name", "email", "is_active", "is_staff", "is_superuser")
    list_filter = ("is_active", "is_staff", "is_superuser", "organisations")
    inlines = (MembershipInline,)
    show_full_result_count = False
    actions = ("switch_off_second_factor",)

    @admin.action(
        description=_("Switch off the second factor (telephone and recovery codes are lost)"), permissions=["rescue"]
    )
    def switch_off_second_factor(self, request: HttpRequest, users: QuerySet[Any]) -> None:
        for user in users:
            try:
                services.remove_second_factor(user.pk, actor=signed_in(request))
            except DomainError as error:
                self.message_user(request, error.detail, messages.ERROR)
            else:
                self.message_user(request, f"{user} signs in with the password alone.", messages.SUCCESS)

    def has_rescue_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_superuser", False))

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        return self.inlines if obj else ()  # a new user first gets a name and a password


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, DiscreetAdmin):
    pass


class HasTelescopes(admin.SimpleListFilter):
    title = _("telescopes")
    parameter_name = "telescopes"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", gettext("with telescopes")), ("no", gettext("without telescopes"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("yes", "no"):
            return queryset
        there = Exists(Telescope.objects.filter(observatory=OuterRef("pk")))
        return queryset.filter(there if self.value() == "yes" else ~there)


@admin.register(Observatory)
class ObservatoryAdmin(ServiceAdmin, PublicAdmin):
    list_display = ("name", "mpc_code", "kind", "longitude_deg", "latitude_deg", "height_m", "time_zone")
    list_filter = ("kind", "coordinate_source", HasTelescopes)
    search_fields = ("mpc_code", "name")
    search_help_text = _("name or MPC code")
    readonly_fields = ("coordinate_source", "time_zone", "created_at")
    fieldsets = (
        (None, {"fields": ("name", "mpc_code", "kind")}),
        (
            _("Place (WGS84)"),
            {
                "fields": ("longitude_deg", "latitude_deg", "height_m", "coordinate_source", "time_zone", "created_at"),
                "description": _("Coordinates changed here are kept by later imports of MPC codes."),
            },
        ),
    )

    def create(self, request: HttpRequest, form: forms.ModelForm) -> Model:
        return services.create_observatory(actor=signed_in(request), **form.cleaned_data)

    def update(self, request: HttpRequest, pk: int, changes: dict[str, Any]) -> None:
        services.update_observatory(pk, actor=signed_in(request), **changes)

    def remove(self, request: HttpRequest, pk: int) -> None:
        services.remove_observatory(pk, actor=signed_in(request))


class ClosureInline(ReadOnlyInline):
    """The closures of a telescope, to look at: they are entered on their own page."""

    model = Closure
    fields = ("starts_at", "ends_at", "reason", "created_by")
    readonly_fields = ("created_by",)
    show_change_link = True
    tab = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Closure]:
        closures: QuerySet[Closure] = Closure.objects.visible_to(actor_of(request.user))
        return closures.select_related("created_by", "telescope").order_by("-starts_at")


@admin.register(Telescope)
class TelescopeAdmin(ServiceAdmin, PublicAdmin):
    list_display = (
        "name", "observatory", "organisation", "state", "aperture_m", "limiting_v_mag", "altitude_min_deg", "is_demo",
    )  # fmt: skip
    list_filter = ("state", "is_demo", "organisation")
    list_select_related = ("observatory", "organisation")
    search_fields = ("name", "observatory__mpc_code", "observatory__name", "organisation__name")
    search_help_text = _("name, observatory, MPC code or organisation")
    autocomplete_fields = ("observatory", "organisation")
    readonly_fields = ("created_at",)
    inlines = (ClosureInline,)
    actions_detail = ("horizon", "tonight", "close")
    fieldsets = (
        (_("Place"), {"fields": ("name", "observatory", "organisation", "state", "is_demo", "created_at")}),
        (_("Figures"), {"fields": ("aperture_m", ("field_width_deg", "field_height_deg"), "figures_note")}),
        (
            _("Limits"),
            {
                "fields": (
                    ("altitude_min_deg", "altitude_max_deg"),
                    ("hour_angle_min_h", "hour_angle_max_h"),
                    "horizon_mask",
                    "sun_altitude_max_deg",
                    ("moon_separation_min_deg", "moon_separation_new_deg"),
                    "galactic_latitude_min_deg",
                    ("limiting_v_mag", "rate_max_arcsec_min"),
                    "window_min_s",
                ),
                "description": _(
                    "Windows are computed within these limits. A limit that is left empty does not apply."
                ),
            },
        ),
        (_("Times"), {"fields": (("setup_s", "slew_s"),)}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Telescope | None = None) -> Any:
        if obj is not None:
            return self.fieldsets
        # What is added by hand is no demo.
        place = ("Place", {"fields": ("name", "observatory", "organisation", "state")})
        return (place, *self.fieldsets[1:])

    # Pages of rooms above, by the names of their addresses.
    @action(description=_("Horizon"), icon="landscape")
    def horizon(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return HttpResponseRedirect(reverse("desk:horizon", args=[object_id]))

    @action(description=_("Tonight"), icon="nights_stay")
    def tonight(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return HttpResponseRedirect(reverse("desk:tonight-of", args=[object_id]))

    @action(description=_("Close"), icon="block")
    def close(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return HttpResponseRedirect(f"{reverse('desk:close')}?telescope={object_id}")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """For who works with it."""
        actor, telescope = actor_of(request.user), self.get_object(request, str(object_id))
        own = telescope is not None and telescope.organisation_id in actor.organisation_ids
        return super().get_actions_detail(request, object_id) if own or actor.sees_everything else []

    def has_change_permission(self, request: HttpRequest, obj: Telescope | None = None) -> bool:
        """Administrators, and managers of the organisation that operates it."""
        if obj is None:
            return super().has_change_permission(request)
        return super().has_change_permission(request, obj) or may_manage(request.user, obj.organisation_id)

    def get_readonly_fields(self, request: HttpRequest, obj: Telescope | None = None) -> Any:
        fixed = OF_ADMINISTRATORS if not getattr(request.user, "is_superuser", False) else ()
        return (*self.readonly_fields, *(fixed if obj is not None else ()))

    def create(self, request: HttpRequest, form: forms.ModelForm) -> Model:
        figures = dict(form.cleaned_data)
        observatory, organisation = figures.pop("observatory"), figures.pop("organisation")
        return services.add_telescope(
            observatory_id=observatory.pk, organisation_id=organisation.pk, actor=signed_in(request), **figures
        )

    def update(self, request: HttpRequest, pk: int, changes: dict[str, Any]) -> None:
        services.update_telescope(pk, actor=signed_in(request), **changes)

    def remove(self, request: HttpRequest, pk: int) -> None:
        services.remove_telescope(pk, actor=signed_in(request))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes along, in words: a telescope may have a hundred thousand windows."""
        telescopes = list(objs)
        closures = Closure.objects.filter(telescope__in=telescopes).count()
        told = [f"{telescope}: with its {closures} closures and all its visibility windows" for telescope in telescopes]
        denied = set() if self.has_delete_permission(request) else {str(Telescope._meta.verbose_name)}
        return told, {"telescopes": len(telescopes), "closures": closures}, denied, []


class ClosureForm(forms.ModelForm):
    """A closure is entered by a scheduler or manager of the organisation that operates the telescope."""

    user: User

    class Meta:
        model = Closure
        fields = ("telescope", "starts_at", "ends_at", "reason")

    def clean_telescope(self) -> Telescope:
        telescope: Telescope = self.cleaned_data["telescope"]
        if not may_schedule(self.user, telescope.organisation_id):
            raise ValidationError(f"Only schedulers and managers of {telescope.organisation} close this telescope.")
        return telescope


@admin.register(Closure)
class ClosureAdmin(ServiceAdmin):
    form = ClosureForm
    list_display = ("telescope", "starts_at", "ends_at", "reason", "created_by")
    list_select_related = ("telescope", "created_by")
    list_filter = ("telescope__organisation", "starts_at")
    search_fields = ("telescope__name", "telescope__observatory__mpc_code", "reason")
    search_help_text = _("telescope, MPC code or reason")
    autocomplete_fields = ("telescope",)
    fields = ("telescope", "starts_at", "ends_at", "reason")
    readonly_fields = ("recurs",)

    def get_fields(self, request: HttpRequest, obj: Closure | None = None) -> Any:
        return self.fields if obj is None or obj.recurring_id is None else (*self.fields, "recurs")

    @admin.display(description=_("recurs"))
    def recurs(self, closure: Closure) -> str:
        """To the page of the desk on which the rest is changed, by the name of its address."""
        return anchor(reverse("desk:recurring", args=[closure.recurring_id]), closure.recurring)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Closure]:
        closures: QuerySet[Closure] = Closure.objects.visible_to(actor_of(request.user))
        return closures.select_related("telescope", "created_by", "recurring__telescope")

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(request, *args, **kwargs)
        return type("ClosureForm", (form,), {"user": request.user})

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(db_field, DateTimeField):
            field.label = f"{field.label} (UTC)"
        return field

    def create(self, request: HttpRequest, form: forms.ModelForm) -> Model:
        given = dict(form.cleaned_data)
        return services.add_closure(telescope_id=given.pop("telescope").pk, actor=signed_in(request), **given)

    def remove(self, request: HttpRequest, pk: int) -> None:
        services.remove_closure(pk, actor=signed_in(request))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Closure | None = None) -> bool:
        actor = actor_of(request.user)
        if obj is not None and not actor.sees_everything:
            return obj.telescope.organisation_id in actor.organisation_ids
        return actor.sees_everything or bool(actor.organisation_ids)

    def has_add_permission(self, request: HttpRequest) -> bool:
        roles = (Membership.Role.SCHEDULER, Membership.Role.MANAGER)
        return bool(getattr(request.user, "is_superuser", False) or organisations_with_role(request.user, *roles))

    def has_change_permission(self, request: HttpRequest, obj: Closure | None = None) -> bool:
        return False  # a closure is removed and entered anew, so that everybody who must react hears of both

    def has_delete_permission(self, request: HttpRequest, obj: Closure | None = None) -> bool:
        if obj is None:
            return self.has_add_permission(request)
        return may_schedule(request.user, obj.telescope.organisation_id)


@admin.register(EarthOrientationTable)
class EarthOrientationTableAdmin(ReadOnlyAdmin):
    """Newer tables of the Earth's rotation than the installed one: the first is in use."""

    list_display = ("version", "measured_until", "predicted_until", "received_at")
    exclude = ("content",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("content")  # a megabyte each
