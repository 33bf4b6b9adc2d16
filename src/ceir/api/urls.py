"""Addresses: pages of the register, and the API beside them."""

from django.urls import include, path

from ceir.api.application import build
from ceir.api.delivery_reports import take_reports

API = build()

urlpatterns = [
    path("", include("ceir.registry.project.urls")),
    path("hooks/messages/<slug:gateway>", take_reports),
    path("api/v1/", API.urls),
]
