"""What no desk shows, with why: a test holds every model to one or the other."""

from collections.abc import Mapping

UNSEEN: Mapping[str, str] = {
    "audit.Head": "where the chain ends; its entries say it",
    "accounts.Invitation": "codes to choose a password",
    "logins.Failures": "counts, of nobody who could be named",
    "logins.Holder": "which account a number has",
    "codes.Code": "one-time codes",
    "codes.Allowance": "counts of codes",
    "documents.Content": "octets of documents, by their digest",
    "imports.ConsignedTac": "what a sealed list holds",
    "imports.SealedImei": "a sealed list",
    "imports.RejectedRow": "a sealed list",
    "imports.Finding": "what checks found of a sealed list",
    "cases.Offer": "devices offered to the owner of a number alone",
    "calls.Remembered": "answers to programs, kept for repetitions",
    "calls.Allowance": "counts of calls",
    "calls.ClientRate": "how many calls a program may make",
    "notices.Preference": "which language a number wants",
    "bulk.Question": "what programs asked about, for themselves alone",
    "bulk.Part": "answers to that",
    "runs.Excepted": "lines that go on with blocked equipment, for their operators alone",
    "editions.ExceptionEdition": "exceptions of an operator's subscribers, for that operator alone",
    "editions.ExceptionEntry": "the same, one by one",
    "webhooks.Told": "how far programs were told",
    "runs.Head": "which run is the last",
}
"""By label of the model."""
