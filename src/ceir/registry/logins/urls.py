"""Addresses of the pages to come in and go out; the names that allauth looks for are kept."""

from django.urls import path
from django.views.generic import RedirectView

from ceir.registry.logins import identity_providers, views

urlpatterns = [
    path("", views.account_page, name="account"),
    path("login/", views.login_page, name="account_login"),
    path("logout/", views.logout_page, name="account_logout"),
    path("second-factor/", views.second_factor_page, name="mfa_authenticate"),
    path("second-factor/set-up/", views.set_up_page, name="second_factor_set_up"),
    path("second-factor/recovery-codes/", views.recovery_codes_page, name="recovery_codes"),
    path("password/", views.change_password_page, name="account_change_password"),
    path("password/choose/", views.choose_password_page, name="choose_password"),
    path("number/", views.number_page, name="number"),
    path("number/code/", views.number_code_page, name="number_code"),
    path("identity/<slug:provider_id>/", identity_providers.go, name="openid_connect_login"),
    path("identity/<slug:provider_id>/back/", identity_providers.come_back, name="openid_connect_callback"),
    path(
        "identity-refused/",
        RedirectView.as_view(pattern_name="account_login"),
        name="socialaccount_login_cancelled",
    ),
]
