"""What every answer tells browsers beside Django's own headers."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

_PERMISSIONS = "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()"


class HeadersMiddleware:
    """A policy of contents: nothing from elsewhere, no script that is not a file of ours, in nobody's frame.

    Pages need no script; Django's administration has some, as files.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        forms = " ".join(("'self'", *settings.CEIR_FORMS_GO_TO))
        self.policy = "; ".join(
            (
                "default-src 'none'",
                "style-src 'self'",
                "script-src 'self'",
                "img-src 'self' data:",
                "font-src 'self'",
                "connect-src 'self'",
                f"form-action {forms}",
                "base-uri 'none'",
                "frame-ancestors 'none'",
            )
        )

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add them, where nothing else stands."""
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.policy)
        response.headers.setdefault("Permissions-Policy", _PERMISSIONS)
        # Programs bring no cookie, and what they call knows no sessions.
        user = getattr(request, "user", None) if settings.SESSION_COOKIE_NAME in request.COOKIES else None
        if user is not None and user.is_authenticated:
            # Nothing that somebody saw while logged in stays behind on a shared computer.
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response
