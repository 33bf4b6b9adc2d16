"""What the codes of refusals mean."""

from django.http import HttpRequest
from ninja import Router, Schema

from ceir.api.problems import CODES_OF_THE_EDGE, NotFoundError, status_of
from ceir.api.terms import Example, terms
from ceir.errors import all_error_types

ROUTER = Router()


class ProblemType(Schema):
    """A code, the status it comes with, and what it means."""

    code: str
    status: int
    meaning: str


@ROUTER.get("/{code}", response=ProblemType, auth=None, summary="What a refusal's code means")
@terms(
    None,
    refuses=(NotFoundError,),
    examples=(
        Example(
            "A code that programs meet",
            "nothing",
            None,
            path={"code": "four_eyes"},
            answer={
                "code": "four_eyes",
                "status": 403,
                "meaning": "A second person of another role must decide.",
            },
            varies=frozenset({"meaning"}),
        ),
        Example(
            "No code of ours",
            "nothing",
            None,
            path={"code": "unheard_of"},
            status=404,
            answer={
                "type": "/api/v1/problems/not_found",
                "title": "Not Found",
                "status": 404,
                "code": "not_found",
                "detail": "There is no such code.",
                "hint": "See the OpenAPI document.",
            },
        ),
    ),
)
def one_problem(request: HttpRequest, code: str) -> ProblemType:
    """The `type` of a problem leads here."""
    meaning = CODES_OF_THE_EDGE.get(code)
    for error in all_error_types():
        if meaning is None and error.code == code:
            meaning = (error.__doc__ or "").strip().split("\n")[0]
    if meaning is None:
        raise NotFoundError("There is no such code.", "See the OpenAPI document.")
    return ProblemType(code=code, status=status_of(code).value, meaning=meaning)
