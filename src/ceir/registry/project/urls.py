"""Addresses of pages."""

from django.contrib import admin
from django.urls import include, path

from ceir.registry.administration.site import fill

fill(admin.site)

urlpatterns = [
    path("account/", include("ceir.registry.logins.urls")),
    path("admin/", admin.site.urls),
]
