"""Which models hold personal data, and the rows that belong to a number or a subscription."""

from collections.abc import Iterator

from django.apps import apps
from django.db import models
from django.db.models import Q

from ceir.identifiers import Imsi, Msisdn
from ceir.registry.personal.fields import EncryptedField, KeyedField


def models_with_personal_data() -> Iterator[type[models.Model]]:
    """Every model with an `EncryptedField`, by name."""
    for model in sorted(apps.get_models(), key=lambda model: model._meta.label):
        if encrypted_fields(model):
            yield model


def encrypted_fields(model: type[models.Model]) -> list[EncryptedField]:
    """What a model keeps encrypted."""
    return [field for field in model._meta.get_fields() if isinstance(field, EncryptedField)]


def keyed_fields(model: type[models.Model]) -> list[KeyedField]:
    """What a model's rows are found by."""
    return [field for field in model._meta.get_fields() if isinstance(field, KeyedField)]


def rows_about(who: Msisdn | Imsi) -> Iterator[models.Model]:
    """Every row of every model that belongs to a number or a subscription: found by its keyed hash."""
    label = "imsi" if isinstance(who, Imsi) else "msisdn"
    for model in sorted(apps.get_models(), key=lambda model: model._meta.label):
        names = [field.name for field in keyed_fields(model) if field.label == label]
        if names:
            wanted = Q()
            for name in names:
                wanted |= Q(**{name: who.digits})
            yield from model._default_manager.filter(wanted).order_by("pk")
