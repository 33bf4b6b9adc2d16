"""A sender for tests, as a process: python notices_sender.py DATABASE KEYS FILE MOMENT send|finish

`send` sends what is due, few at a time, until nothing is left or somebody kills it. `finish` then waits for
receipts, gives up what was never answered for, and prints the notices by state.
"""

import json
import sys
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

from ceir.registry.project.configuring import RegistryOptions, configure


def main() -> None:
    database, keys, file, moment, what = sys.argv[1:]
    configure(RegistryOptions(database=database, secret="for tests only " * 3, keys=Path(keys)))
    from ceir.registry.actors import SYSTEM
    from ceir.registry.audit.chain import verify
    from ceir.registry.notices.models import Notice
    from ceir.registry.notices.opening import outlet
    from ceir.registry.notices.reports import settle
    from ceir.registry.notices.sending import abandon, send_due

    at = datetime.fromisoformat(moment)
    with outlet(Path(file)) as found:
        (route,) = found.routes
        print("ready", flush=True)
        while send_due(route, found.terms, actor=SYSTEM, at=at, most=6).counts:
            pass
        if what == "finish":
            until = time.monotonic() + 30
            while Notice.objects.filter(state="sent").exists() and time.monotonic() < until:
                settle(found.terms, at=at)
                time.sleep(0.1)
            abandon(found.terms, actor=SYSTEM, at=at + timedelta(hours=2))
    verify()
    states = Counter(Notice.objects.values_list("state", flat=True))
    print(json.dumps({"states": states, "sendings": max(n.sendings.count() for n in Notice.objects.all())}))


if __name__ == "__main__":
    main()
