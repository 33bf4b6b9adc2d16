"""Lists and rows at a desk: to be looked at, to do deeds with, to read personal data on a legal basis."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import models
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import cached_property

from ceir.errors import CeirError
from ceir.registry.accounts.permissions import require
from ceir.registry.actors import Actor
from ceir.registry.administration.declaring import Deed, Desk, actor_of, may, reach, words
from ceir.registry.personal.fields import Access, EncryptedField, KeyedField, Sealed
from ceir.registry.personal.finding import encrypted_fields
from ceir.registry.personal.reading import reading
from ceir.registry.personal.retention import retention_of

_MOST_COUNTED = 10_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # of rows of any model
    """Counts no further than people page: a table of ten million rows is not counted for each look."""

    @cached_property
    def count(self) -> int:
        """Rows, or `_MOST_COUNTED`."""
        rows: Any = self.object_list
        return int(rows.order_by()[:_MOST_COUNTED].count())


class _Typed(forms.Form):
    """What a deed asks for; labels of what must be typed stand out."""

    required_css_class = "required"


class DeskAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # of any model
    """A model at a desk. What Django would let people change here, nobody can."""

    desk: Desk
    actions = None
    list_per_page = 50
    list_max_show_all = 50
    show_full_result_count = False
    paginator = CappedPaginator
    change_form_template = "administration/row.html"
    change_list_template = "administration/list.html"

    # --- who sees what

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - filtered
        """By our permissions."""
        return self.admin_site.has_permission(request) and reach(actor_of(request), self.desk) != ""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """As the rows."""
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's
        """Rows come about by deeds only."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """They change by deeds only."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """They are not deleted."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """All rows, or those of one's own organisation."""
        rows: QuerySet[Any] = super().get_queryset(request)
        actor = actor_of(request)
        if self.desk.among is not None:
            rows = rows.filter(pk__in=self.desk.among(actor).values("pk"))
        if reach(actor, self.desk) == "all":
            return rows
        wanted = Q(pk__in=[])
        if reach(actor, self.desk) == "own" and actor.organisation is not None:
            for look_up in self.desk.own:
                wanted |= Q(**{look_up: actor.organisation})
        return rows.filter(wanted)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """An IMEI as it is printed finds its rows, where there are any."""
        digits = search_term.replace(" ", "").replace("-", "")
        if self.desk.imei and digits.isascii() and digits.isdecimal() and len(digits) in (14, 15, 16):
            return queryset.filter(**{self.desk.imei: int(digits[:14])}), True
        return super().get_search_results(request, queryset, search_term)

    # --- deeds

    def get_urls(self) -> list[URLPattern]:
        """Beside Django's own."""
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        guard = self.admin_site.admin_view
        return [
            path("begin/<slug:deed>/", guard(self.begin_page), name=f"{name}_begin"),
            path("<path:object_id>/do/<slug:deed>/", guard(self.deed_page), name=f"{name}_do"),
            path("<path:object_id>/reveal/", guard(self.reveal_page), name=f"{name}_reveal"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """With what can be begun."""
        buttons = [
            {"label": deed.label, "url": reverse(self._name("begin"), args=[deed.name])}
            for deed in self.desk.begin
            if may(actor_of(request), deed.needs)
        ]
        return super().changelist_view(request, {**(extra_context or {}), "buttons": buttons})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """With what can be done."""
        row = self.get_object(request, object_id)
        buttons: list[dict[str, str]] = []
        if row is not None:
            actor = actor_of(request)
            buttons = [
                {"label": deed.label, "url": reverse(self._name("do"), args=[object_id, deed.name])}
                for deed in self.desk.deeds
                if may(actor, deed.needs) and deed.when(row)
            ]
            if self.desk.reveals is not None and may(actor, self.desk.reveals):
                url = reverse(self._name("reveal"), args=[object_id])
                buttons.append({"label": "Read personal data …", "url": url})
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), "buttons": buttons}
        )

    def begin_page(self, request: HttpRequest, deed: str) -> HttpResponse:
        """A deed that begins with no row."""
        return self._deed(request, _named(self.desk.begin, deed), None, reverse(self._name("changelist")))

    def deed_page(self, request: HttpRequest, object_id: str, deed: str) -> HttpResponse:
        """A deed with a row."""
        row = self._row(request, object_id)
        return self._deed(
            request, _named(self.desk.deeds, deed), row, reverse(self._name("change"), args=[object_id])
        )

    def reveal_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Personal data of a row in clear, on a legal basis, once; that it was read is kept first."""
        needed = self.desk.reveals
        if needed is None:
            raise Http404
        actor, row = actor_of(request), self._row(request, object_id)
        if not may(actor, needed):
            raise PermissionDenied

        def read(_row: Any, typed: Mapping[str, Any], who: Actor, at: Any) -> str:
            access = Access(who, at, typed["basis"])
            found = self.desk.reveal(row, access) if self.desk.reveal else _fields(row, self.desk, access)
            return (
                "\n".join(f"{name}: {value}" for name, value in found.items() if value) or "Nothing is kept."
            )

        deed = Deed(
            "reveal", "Read personal data", needed, read,
            {"basis": lambda: words("Legal basis: the law, the case or the consent", 300)},
        )  # fmt: skip
        return self._deed(request, deed, row, reverse(self._name("change"), args=[object_id]))

    def _deed(self, request: HttpRequest, deed: Deed, row: Any, back: str) -> HttpResponse:
        actor = actor_of(request)
        if not may(actor, deed.needs):
            raise PermissionDenied
        form = _Typed(request.POST if request.method == "POST" else None)
        form.fields.update({name: ask() for name, ask in deed.asks.items()})
        shown = None
        if request.method == "POST" and form.is_valid():
            try:
                shown = deed.run(row, form.cleaned_data, actor, timezone.now())
            except (CeirError, ValueError) as error:
                if not isinstance(error, CeirError):
                    raise
                form.add_error(None, f"{error.detail} {error.hint}")
            else:
                if shown is None:
                    messages.success(request, f"{deed.label}: done.")
                    return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": deed.label,
            "opts": self.opts,
            "form": form,
            "row": row,
            "back": back,
            "shown": shown,
        }
        status = 422 if form.is_bound and form.errors else 200
        answer = TemplateResponse(request, "administration/deed.html", context, status=status)
        answer.headers["Cache-Control"] = "no-store, private"
        return answer

    def _row(self, request: HttpRequest, object_id: str) -> Any:
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return row

    def _name(self, what: str) -> str:
        return f"admin:{self.opts.app_label}_{self.opts.model_name}_{what}"


def admin_for(desk: Desk) -> type[DeskAdmin]:
    """Django's class for a desk."""
    fields = [
        field
        for field in desk.model._meta.concrete_fields
        if field.name not in desk.hidden and not isinstance(field, KeyedField)
    ]
    shown = {f"show_{field.name}": _shower(field) for field in fields}
    columns = tuple(f"show_{name}" for name in desk.shown)
    return type(
        f"{desk.model.__name__}Desk",
        (DeskAdmin,),
        {
            **shown,
            "desk": desk,
            "list_display": columns,
            "list_display_links": columns[:1],
            "list_filter": desk.filters,
            "search_fields": desk.find or (("pk",) if desk.imei else ()),
            "search_help_text": "An IMEI, or a text" if desk.imei else None,
            "list_select_related": [f.name for f in fields if f.is_relation and f.name in desk.shown]
            or False,
            "fields": tuple(shown),
            "readonly_fields": tuple(shown),
            "ordering": ("-pk",),
        },
    )


def _shower(field: Any) -> Callable[[Any, Any], object]:
    """How a field is shown: what is encrypted as sealed, IMEIs with all their digits."""

    def show(_: Any, row: Any) -> object:
        value = getattr(row, field.name)
        if isinstance(field, EncryptedField):
            return "" if value is None else "[sealed]"
        if isinstance(value, bytes | memoryview):
            return bytes(value).hex()
        if field.name == "imei" and isinstance(value, int) and value >= 0:
            return f"{value:014}"
        if isinstance(value, datetime):
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        return "-" if value is None and not isinstance(field, models.BooleanField) else value

    show.short_description = field.verbose_name  # type: ignore[attr-defined]
    show.boolean = isinstance(field, models.BooleanField)  # type: ignore[attr-defined]
    if not isinstance(field, models.JSONField | EncryptedField):
        show.admin_order_field = field.name  # type: ignore[attr-defined]
    return show


def _named(deeds: tuple[Deed, ...], name: str) -> Deed:
    found = next((deed for deed in deeds if deed.name == name), None)
    if found is None:
        raise Http404
    return found


def _fields(row: models.Model, desk: Desk, access: Access) -> dict[str, str]:
    """Every encrypted field of a row; the reads are kept whatever happens then."""
    retention = retention_of(type(row))
    assert desk.reveals is not None
    assert retention is not None  # a test holds every model with such fields to it
    require(access.actor, desk.reveals)
    found: dict[str, str] = {}
    with reading():
        for field in encrypted_fields(type(row)):
            if field.name in desk.hidden:
                continue
            value = getattr(row, field.name)
            if isinstance(value, Sealed):
                found[str(field.verbose_name)] = value.reveal(access, retention.subject(row))
    return found
