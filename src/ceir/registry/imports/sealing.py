"""Sealed tables: nothing lists them, whoever asks.

Why: identities of devices that are still in an importer's warehouse are what makers of clones look for.
"""

from typing import Any, ClassVar

from django.db import models

from ceir.errors import CeirError


class SealedListError(CeirError):
    """Something tried to list what is sealed."""

    code: ClassVar[str] = "sealed_list"


class SealedManager(models.Manager[Any]):
    """What a sealed model has for `objects`: refuses every query, counting included."""

    def get_queryset(self) -> models.QuerySet[Any]:
        """Refuse.

        Raises:
            SealedListError: always.
        """
        raise SealedListError(
            "Lists of IMEIs that are not released are sealed.", "Ask for one IMEI: imports.looking_up.look_up"
        )


class EmptyManager(models.Manager[Any]):
    """What Django's own machinery uses (dumps, copies for tests): finds nothing."""

    def get_queryset(self) -> models.QuerySet[Any]:
        """Nothing."""
        return super().get_queryset().none()


class SealedModel(models.Model):
    """A table that only the statements of `imports` reach."""

    objects: ClassVar[SealedManager] = SealedManager()
    nothing: ClassVar[EmptyManager] = EmptyManager()

    class Meta:  # noqa: D106 - says nothing of its own
        abstract = True
        base_manager_name = "nothing"
        default_manager_name = "objects"
