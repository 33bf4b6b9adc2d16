"""Rules of passwords beside Django's: long ones of few different characters, and endless ones."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

LEAST_CHARACTERS = 5
LONGEST = 200


class VariedValidator:
    """Refuses passwords of few different characters, and ones that take long to hash."""

    def validate(self, password: str, user: Any = None) -> None:  # noqa: ARG002 - Django's signature
        """Refuse.

        Raises:
            ValidationError: what is wrong.
        """
        if len(set(password)) < LEAST_CHARACTERS or len(password) > LONGEST:
            raise ValidationError(self.get_help_text(), code="password_not_varied")

    def get_help_text(self) -> str:
        """What is asked for."""
        return gettext("Use %(least)d different characters or more, and at most %(most)d in all.") % {
            "least": LEAST_CHARACTERS,
            "most": LONGEST,
        }
