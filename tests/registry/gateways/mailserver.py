"""A mail server, as a process of its own: python mailserver.py LOG

It prints its port, writes a line of JSON for each mail, and refuses by the address's first letters.
"""

# ruff: noqa: ARG002 - what the library gives a handler

import asyncio
import json
import sys
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

LOG = Path(sys.argv[1])


class Handler:
    async def handle_RCPT(  # noqa: N802 - the library's name
        self,
        server: SMTP,
        session: Any,
        envelope: Any,
        address: str,
        options: list[str],
    ) -> str:
        if address.startswith("later"):
            return "450 try again"
        if address.startswith("never"):
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.content, policy=policy.default)
        with LOG.open("a") as file:
            found = {
                "from": envelope.mail_from, "to": envelope.rcpt_tos, "subject": str(mail["Subject"]),
                "id": str(mail["Message-ID"]), "auto": str(mail["Auto-Submitted"]),
                "text": mail.get_content(), "headers": sorted(mail.keys()),
            }  # fmt: skip
            file.write(json.dumps(found) + "\n")
        to = envelope.rcpt_tos[0]
        if to.startswith("hangup"):
            server.transport.abort()
            await asyncio.sleep(1)
        if to.startswith("full"):
            return "452 no room"
        if to.startswith("spam"):
            return "554 not wanted"
        return "250 taken"


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Handler(), enable_SMTPUTF8=True), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
