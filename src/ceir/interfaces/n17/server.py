"""The N17 service on a listener."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from ceir.equipment_check import Checker
from ceir.interfaces.n17.application import MAX_URI_BYTES, Gate, N17Application, Observe
from ceir.interfaces.n17.authorization import Authorizer
from ceir.interfaces.serving.http import HttpLimits, Listen, serve_rsgi


@dataclass(frozen=True, slots=True)
class N17Server:
    """What one process needs to answer N17 requests.

    Args:
        checker: who knows.
        listen: where; several processes may share it.
        limits: of connections and messages.
        observe, refused, gate, authorizer, instance, api_prefix, max_uri_bytes: see `N17Application`.
    """

    checker: Checker
    listen: Listen
    limits: HttpLimits = field(default_factory=HttpLimits)
    observe: Observe | None = None
    refused: Callable[[int], None] | None = None
    gate: Gate | None = None
    authorizer: Authorizer | None = None
    instance: str | None = None
    api_prefix: str = ""
    max_uri_bytes: int = MAX_URI_BYTES

    async def serve(self, stop: asyncio.Event) -> None:
        """Answers until `stop` is set; then requests under way are answered and connections closed.

        Raises:
            ListenError: the listener could not be had or ceased.
        """
        application = N17Application(
            self.checker,
            observe=self.observe,
            refused=self.refused,
            gate=self.gate,
            authorizer=self.authorizer,
            instance=self.instance,
            api_prefix=self.api_prefix,
            max_uri_bytes=self.max_uri_bytes,
        )
        await serve_rsgi(application, self.listen, self.limits, stop)
