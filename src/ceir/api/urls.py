"""Addresses: pages of the register, and the API beside them."""

from django.urls import include, path

from ceir.api.application import build
from ceir.api.delivery_reports import take_reports

urlpatterns = [
    path("", include("ceir.registry.project.urls")),
    path("api/v1/", build().urls),
    path("hooks/messages/<slug:gateway>", take_reports),
]
