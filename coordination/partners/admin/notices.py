"""Own notices and preferences; for administrators also whether the notices of others were delivered."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from coordination.common.actors import actor_of
from coordination.common.admin import ReadOnlyAdmin

from .. import services, wording
from ..models import Notice, NotificationPreference


class WhoseNotices(admin.SimpleListFilter):
    title = _("whose")
    parameter_name = "whose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("all", "everybody's")] if getattr(request.user, "is_superuser", False) else []

    def choices(self, changelist: Any) -> Any:
        own, *others = super().choices(changelist)
        return [{**own, "display": "my own"}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() == "all" else queryset.filter(user_id=request.user.pk)


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "what", "read_at", "user", "mail", "mail_sent_at", "mail_error")
    list_display_links = ("created_at", "what")
    list_filter = (WhoseNotices, ("read_at", admin.EmptyFieldListFilter), "mail")
    list_select_related = ("user",)
    fields = (
        "what", "words", "target_name", "path", "created_at", "read_at", "user",
        "mail", "mail_due_at", "mail_attempts", "mail_error", "mail_sent_at",
    )  # fmt: skip
    readonly_fields = ("what", "words", "target_name")
    actions = ("mark_as_read",)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notice]:
        actor = actor_of(request.user)
        notices: QuerySet[Notice] = Notice.objects.visible_to(actor).for_reading_by(actor)
        return notices.select_related("event", "target")

    def get_ordering(self, request: HttpRequest) -> Any:
        return (F("read_at").desc(nulls_first=True), "-id")

    def has_view_permission(self, request: HttpRequest, obj: Notice | None = None) -> bool:
        return obj is None or obj.user_id == request.user.pk or actor_of(request.user).sees_everything

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    @admin.display(description=_("what"))
    def what(self, notice: Notice) -> str:
        return wording.for_reader(notice, notice.title)

    @admin.display(description=_("text"))
    def words(self, notice: Notice) -> str:
        return wording.for_reader(notice, notice.text)

    @admin.display(description=_("target"))
    def target_name(self, notice: Notice) -> str:
        return wording.for_reader(notice, wording.PLACEHOLDER) if notice.target is not None else ""

    @admin.action(description=_("Mark as read"))
    def mark_as_read(self, request: HttpRequest, notices: QuerySet[Notice]) -> None:
        """Own ones; that others have not read theirs stays true."""
        user: Any = request.user
        own = list(notices.filter(user_id=user.pk).values_list("pk", flat=True))
        for pk in own:
            services.mark_read(pk, user=user)
        self.message_user(request, f"{len(own)} marked as read.", messages.SUCCESS)


@admin.register(NotificationPreference)
class NotificationPreferenceAdmin(ModelAdmin):
    """One's own."""

    list_display = ("user", "email", "daily_hour_utc")
    fields = ("email", "daily_hour_utc")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[NotificationPreference]:
        user_id: Any = request.user.pk  # None for nobody, whom the sign-in page asks for too
        return NotificationPreference.objects.filter(user_id=user_id).select_related("user")

    def save_model(self, request: HttpRequest, obj: NotificationPreference, form: Any, change: bool) -> None:
        user: Any = request.user
        services.set_preference(user, **{name: form.cleaned_data[name] for name in self.fields})
        obj.user, obj._state.adding = user, False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: NotificationPreference | None = None) -> bool:
        return obj is None or obj.user_id == request.user.pk

    def has_change_permission(self, request: HttpRequest, obj: NotificationPreference | None = None) -> bool:
        return self.has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated and not self.get_queryset(request).exists()

    def has_delete_permission(self, request: HttpRequest, obj: NotificationPreference | None = None) -> bool:
        return False
