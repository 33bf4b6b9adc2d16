"""The process that `ceir serve` becomes: it starts the others, looks after them, and loads nothing of them.

Takes its orders as JSON on standard input, already validated.
"""

import logging
import sys

from ceir.errors import CeirError
from ceir.interfaces.serving.logs import log_as_json
from ceir.office.configuration import Orders
from ceir.office.supervising import run_office


def main() -> int:
    """Serve. Returns: the exit code."""
    told = Orders.model_validate_json(sys.stdin.buffer.read())
    log_as_json()
    try:
        run_office(told)
    except CeirError as error:
        logging.getLogger("ceir.office").error(error.code, extra={"detail": error.detail, "hint": error.hint})
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
