"""The connection to PostgreSQL; Django finds it by the name of this module."""

import time
from typing import Any

from django.db.backends.postgresql import base

TRUSTED = 1.0
"""Seconds for which a connection that just served a request is believed to be there."""


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, but a connection that served a request within the last second is not asked whether it lives.

    Why: Django asks at each request, which costs as much as a look-up. A connection that was idle for longer
    may have been cut by a firewall or a restart, and is looked at as before; one that fails is in any case.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._served_at = 0.0

    def close_if_unusable_or_obsolete(self) -> None:
        """Django calls it before and after each request."""
        if self.connection is not None and self.health_check_done and not self.errors_occurred:
            self._served_at = time.monotonic()
        super().close_if_unusable_or_obsolete()

    def close_if_health_check_failed(self) -> None:
        """Django calls it before the first statement of a request."""
        if time.monotonic() - self._served_at < TRUSTED:
            self.health_check_done = True
        super().close_if_health_check_failed()
