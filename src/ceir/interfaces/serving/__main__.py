"""The process that `ceir serve` becomes: it and its workers load nothing of the register.

Takes a configuration as JSON on standard input, already validated.
"""

import json
import logging
import sys

from ceir.errors import CeirError
from ceir.interfaces.declaration import all_interfaces
from ceir.interfaces.serving.configuration import Configuration, Serving
from ceir.interfaces.serving.logs import log_as_json
from ceir.interfaces.serving.plant import run_plant


def main() -> int:
    """Serve. Returns: the exit code."""
    raw = json.load(sys.stdin)
    every = all_interfaces()
    configuration = Configuration(
        serving=Serving.model_validate(raw["serving"]),
        interfaces={
            name: every[name].configuration.model_validate(section)
            for name, section in raw["interfaces"].items()
        },
    )
    try:
        run_plant(configuration)
    except CeirError as error:
        log_as_json()
        logging.getLogger("ceir.serve").error(error.code, extra={"detail": error.detail, "hint": error.hint})
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
