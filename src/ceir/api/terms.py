"""What an endpoint declares besides its parameters and its answer; without it the API does not start."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from django.db.models import Model

from ceir.errors import CeirError
from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import Role

SMALL = 64 * 1024
"""Octets that a request may have unless its endpoint says otherwise."""

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Example:
    """A call and its answer; shown in the OpenAPI document, and carried out by a test.

    Args:
        name: what it shows, in a few words.
        given: the situation in which the answer is true; tests know how to bring it about, and which values
            of `path`, `query` and `body` are others there (keys that are drawn).
        by: who calls; None: without a token.
        form: the body is a form.
        varies: keys of the answer whose values are others at each call: moments, drawn keys.
    """

    name: str
    given: str
    by: Role | None
    path: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    form: bool = False
    status: int = 200
    answer: Any = None
    varies: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Guard:
    """What `If-Match` is held against.

    Args:
        reads: the endpoint that gives the representation; it has the same parameters of the path.
        model, key: the row that is locked meanwhile, and the parameter that is its key.
        required: the call puts something in the place of what is there, and is refused without `If-Match`
            (428, RFC 6585 clause 3): two who do so at once would not know of each other.
    """

    reads: Callable[..., Any]
    model: type[Model]
    key: str
    required: bool = False


@dataclass(frozen=True)
class Terms:
    """See `terms`."""

    ATTRIBUTE: ClassVar[str] = "ceir_terms"

    permission: Permission | None
    refuses: tuple[type[CeirError], ...] = ()
    examples: tuple[Example, ...] = ()
    cost: int = 1
    most_octets: int = SMALL
    uploads: bool = False
    guard: Guard | None = None
    own_transactions: bool = False
    legal_basis: bool = False
    others: tuple[Permission, ...] = ()

    @property
    def any_of(self) -> tuple[Permission, ...]:
        """Permissions of which one is enough; none: the endpoint is for everybody."""
        return () if self.permission is None else (self.permission, *self.others)


def terms(
    permission: Permission | None,
    *,
    refuses: tuple[type[CeirError], ...] = (),
    examples: tuple[Example, ...] = (),
    cost: int = 1,
    most_octets: int = SMALL,
    uploads: bool = False,
    guard: Guard | None = None,
    own_transactions: bool = False,
    legal_basis: bool = False,
    others: tuple[Permission, ...] = (),
) -> Callable[[F], F]:
    """Declare an endpoint: stands below `@ROUTER.get(...)`.

    Args:
        permission: what token and role need; looked at before anything else, whatever the service looks at
            then. None: the endpoint is for everybody (`auth=None`).
        refuses: errors that it may answer with, their subclasses included; those of any endpoint need not be
            named (token, permission, form of the request, allowance, size).
        cost: in calls of the allowance.
        most_octets: of a request; more is refused before it is read.
        uploads: the body is a file and is not read to see whether a repeated call is the same: then its
            length and `Content-Digest` tell.
        guard: what `If-Match` is held against; None: the endpoint refuses `If-Match`.
        own_transactions: what it calls must not lie in a transaction (what it reads is recorded whatever
            happens then); an answer that was lost with the process is then not given again.
        legal_basis: it gives personal data and takes `basis`.
        others: permissions that are as good; what the endpoint calls then asks for the one that it needs.
    """
    declared = Terms(
        permission,
        refuses,
        examples,
        cost,
        most_octets,
        uploads,
        guard,
        own_transactions,
        legal_basis,
        others,
    )

    def declare(function: F) -> F:
        setattr(function, Terms.ATTRIBUTE, declared)
        return function

    return declare


def terms_of(function: Callable[..., Any]) -> Terms:
    """What an endpoint declares.

    Raises:
        TypeError: nothing.
    """
    found = getattr(function, Terms.ATTRIBUTE, None)
    if not isinstance(found, Terms):
        raise TypeError(
            f"{function.__module__}.{function.__qualname__} declares no terms: see ceir.api.terms"
        )
    return found
