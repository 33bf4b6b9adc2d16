"""The server of N17 with an application that answers a constant: what the application can cost at most.

    python benchmarks/eir/n17_constant.py PORT

Started by `measure.py` on the server's core; ends with SIGTERM.
"""

import asyncio
import signal
import sys

from ceir.interfaces.serving.http import HttpLimits, Listen, serve_rsgi
from ceir.interfaces.serving.plant import answers_first
from ceir.interfaces.serving.workers import new_event_loop


class Constant:
    """Answers as the service answers for permitted equipment."""

    fields = [("content-type", "application/json"), ("cache-control", "no-store")]  # noqa: RUF012
    body = b'{"status":"WHITELISTED"}'

    async def __rsgi__(self, scope: object, transport: object) -> None:
        transport.response_bytes(200, self.fields, self.body)  # type: ignore[attr-defined]


async def main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    answers_first()
    await serve_rsgi(Constant(), Listen("127.0.0.1", int(sys.argv[1])), HttpLimits(), stop)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main())
