"""Addresses: pages of the register, and the API beside them."""

from django.urls import include, path

from ceir.api.application import build

API = build()

urlpatterns = [
    path("", include("ceir.registry.project.urls")),
    path("api/v1/", API.urls),
]
