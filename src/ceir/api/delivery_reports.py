"""Reports of deliveries, called in by services that send short messages for the register.

No part of the API for clients: a service proves itself by the secret that it shares with its gateway.
"""

from http import HTTPStatus
from pathlib import Path

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, RawPostDataException
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from ceir.api import problems
from ceir.errors import CeirError
from ceir.registry.gateways import GatewayError
from ceir.registry.gateways.http import LONGEST_REPORT, read_reports
from ceir.registry.notices.configuration import Way, read_configuration
from ceir.registry.notices.reports import keep_reports

_log = structlog.get_logger()


@csrf_exempt
@require_POST
def take_reports(request: HttpRequest, gateway: str) -> HttpResponse:
    """Keep the receipts of a call; what they are about is settled by whoever sends notices.

    204 says that they are kept. 401: not signed by the service, or of another time. 404: no such gateway.
    """
    try:
        way = _way(gateway)
    except CeirError as error:
        _log.error("notices_not_set_up", problem=error.code)
        way = None
    if way is None:
        return _refused(HTTPStatus.NOT_FOUND, "There is no gateway of that name that reports by calls.")
    length = request.headers.get("Content-Length") or "0"
    if not (length.isascii() and length.isdigit()) or int(length[:12]) > LONGEST_REPORT:
        return _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The report is too long.")
    headers = {name.lower(): value for name, value in request.headers.items()}
    at = timezone.now()
    try:
        receipts = read_reports(request.body, headers, str(way.options["secret"]), at)
    except GatewayError as error:
        return _refused(HTTPStatus.UNAUTHORIZED, error.detail, error.hint)
    except (OSError, RawPostDataException):
        return _refused(HTTPStatus.BAD_REQUEST, "The call broke off.")
    keep_reports(gateway, receipts, at=at)
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


def _way(gateway: str) -> Way | None:
    path: Path | None = settings.CEIR_NOTICES
    if path is None:
        return None
    ways = read_configuration(path).ways
    return next((way for way in ways if way.name == gateway and way.kind == "http"), None)


def _refused(status: HTTPStatus, detail: str, hint: str = "See docs/notices.md.") -> HttpResponse:
    return problems.problem(status, GatewayError.code, detail, hint)
