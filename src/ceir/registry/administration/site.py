"""The site: who comes in, and what stands there."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from ceir.registry.accounts.models import Account


class DeskSite(admin.AdminSite):
    """Django's administration site, with our log-in and only our desks."""

    site_header = "Device register"
    site_title = "Device register"
    index_title = "Office"
    site_url = "/account/"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """People of the office; that they came with two factors is held by the sessions."""
        return isinstance(request.user, Account) and request.user.is_staff

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # noqa: ARG002 - Django's
        """Our own page, with its second factor."""
        if self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        if request.user.is_authenticated:
            return HttpResponseRedirect(reverse("account"))
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def logout(  # type: ignore[override]  # Django's stubs know its own page only
        self,
        request: HttpRequest,  # noqa: ARG002
        extra_context: Any = None,  # noqa: ARG002
    ) -> HttpResponse:
        """Our own page."""
        return HttpResponseRedirect(reverse("account_logout"))

    def password_change(  # type: ignore[override]  # as above
        self,
        request: HttpRequest,  # noqa: ARG002
        extra_context: Any = None,  # noqa: ARG002
    ) -> HttpResponse:
        """Our own page."""
        return HttpResponseRedirect(reverse("account_change_password"))


def fill(site: admin.AdminSite) -> None:
    """Put every desk there; once."""
    from ceir.registry.administration.declaring import all_desks  # noqa: PLC0415 - they need the models
    from ceir.registry.administration.looking import admin_for  # noqa: PLC0415

    for desk in all_desks():
        if not site.is_registered(desk.model):
            site.register(desk.model, admin_for(desk))
