"""Addresses of pages."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from ceir.registry.administration.site import fill

fill(admin.site)

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/")),
    path("account/", include("ceir.registry.logins.urls")),
    path("admin/", admin.site.urls),
]
