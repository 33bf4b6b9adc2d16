"""What may be done, and by whom: one enumeration, one rule each."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from ceir.errors import CeirError
from ceir.registry.actors import Actor, Role

_REGULATOR = frozenset({Role.OFFICER, Role.REVIEWER, Role.ADMINISTRATOR})


class PermissionDeniedError(CeirError):
    """Who asks may not do this."""

    code: ClassVar[str] = "permission_denied"


class Permission(Enum):
    """Everything that needs a permission. The value is its name in scopes and in the record."""

    ORGANISATION_MANAGE = "organisation.manage"
    ACCOUNT_MANAGE = "account.manage"
    RIGHTS_CONFIRM = "rights.confirm"
    AUDIT_READ = "audit.read"
    PERSONAL_READ = "personal.read"
    PERSONAL_SHRED = "personal.shred"
    SUBJECT_ACCESS = "subject.access"
    LEGAL_HOLD = "legal.hold"
    PROPOSAL_DECIDE = "proposal.decide"
    PROPOSAL_READ = "proposal.read"
    CASE_REPORT = "case.report"
    CASE_VERIFY = "case.verify"
    CASE_READ = "case.read"
    CASE_RECOVER = "case.recover"
    CASE_AMEND = "case.amend"
    SIGHTING_TELL = "sighting.tell"
    TRACE_READ = "trace.read"
    DEVICE_REGISTER = "device.register"
    DEVICE_READ = "device.read"
    DEVICE_TRANSFER = "device.transfer"
    REPAIR_SIGN = "repair.sign"
    DUTY_SETTLE = "duty.settle"
    REVIEW_DECIDE = "review.decide"
    APPROVAL_MANAGE = "approval.manage"
    APPROVAL_READ = "approval.read"
    APPROVAL_PROPOSE = "approval.propose"
    APPROVAL_DECIDE = "approval.decide"
    SURVEILLANCE_MANAGE = "surveillance.manage"
    COUNTERFEIT_REPORT = "counterfeit.report"
    COUNTERFEIT_READ = "counterfeit.read"
    IMPORT_SUBMIT = "import.submit"
    IMPORT_RELEASE = "import.release"
    IMPORT_LOOK_UP = "import.look_up"
    IMPORT_READ = "import.read"
    IMPORT_LICENSE = "import.license"
    IMPORT_CHECK = "import.check"
    IMPORT_REVIEW = "import.review"
    IMPORT_NOTE_USE = "import.note_use"
    PAIRING_MANAGE = "pairing.manage"
    SUBSCRIBER_REPORT = "subscriber.report"
    APPEAL_MAKE = "appeal.make"
    APPEAL_EXAMINE = "appeal.examine"
    APPEAL_DECIDE = "appeal.decide"
    RUN_APPLY = "run.apply"
    RUN_READ = "run.read"
    EXCEPTION_READ = "exception.read"
    RELEASE_MANAGE = "release.manage"
    RELEASE_CARRY_ON = "release.carry_on"
    RELEASE_READ = "release.read"
    OVERRIDE_PROPOSE = "override.propose"
    STATUS_READ = "status.read"
    NOTICE_READ = "notice.read"
    WEBHOOK_MANAGE = "webhook.manage"
    NOTICE_SEND = "notice.send"
    NOTICE_PREFER = "notice.prefer"


@dataclass(frozen=True)
class Rule:
    """Who has a permission.

    Args:
        own: only for what belongs to the actor's own organisation, or to the actor himself.
        doc: what it allows.
    """

    roles: frozenset[Role]
    doc: str
    own: frozenset[Role] = frozenset()


def _rule(doc: str, *roles: Role, own: tuple[Role, ...] = ()) -> Rule:
    return Rule(frozenset(roles) | frozenset(own), doc, frozenset(own))


RULES: Mapping[Permission, Rule] = {
    Permission.ORGANISATION_MANAGE: _rule(
        "Ask for organisations to be opened, and put them out of use.", Role.ADMINISTRATOR
    ),
    Permission.ACCOUNT_MANAGE: _rule(
        "Ask for accounts, programs and roles, and put them out of use.", Role.ADMINISTRATOR
    ),
    Permission.RIGHTS_CONFIRM: _rule(
        "Be the second person for whatever gives rights; say that two accounts are one person's.",
        Role.ADMINISTRATOR,
        Role.AUDITOR,
    ),
    Permission.AUDIT_READ: _rule("Read the record of what was done and read.", Role.AUDITOR),
    Permission.PERSONAL_READ: _rule(
        "See IMSIs, numbers and names, each time with a legal basis.",
        Role.OFFICER,
        Role.REVIEWER,
        own=(Role.POLICE, Role.OPERATOR),
    ),
    Permission.PERSONAL_SHRED: _rule(
        "Overwrite personal data whose days are over.", Role.ADMINISTRATOR, Role.SYSTEM
    ),
    Permission.SUBJECT_ACCESS: _rule(
        "Tell a person what is kept about him, or erase it.", Role.OFFICER, Role.ADMINISTRATOR, Role.SYSTEM
    ),
    Permission.LEGAL_HOLD: _rule(
        "Keep personal data from being shredded, for a court.", Role.OFFICER, Role.ADMINISTRATOR, Role.SYSTEM
    ),
    Permission.PROPOSAL_DECIDE: _rule(
        "Be the second pair of eyes.", Role.REVIEWER, Role.POLICE, Role.CUSTOMS
    ),
    Permission.PROPOSAL_READ: _rule(
        "See what waits for a second person.", *_REGULATOR, Role.AUDITOR, Role.POLICE, Role.CUSTOMS
    ),
    Permission.CASE_REPORT: _rule(
        "Report a device stolen or lost.", Role.POLICE, Role.OPERATOR, Role.OFFICER, own=(Role.CONSUMER,)
    ),
    Permission.CASE_VERIFY: _rule("Confirm or reject a report.", Role.POLICE, Role.REVIEWER),
    Permission.CASE_READ: _rule(
        "See cases.", *_REGULATOR, Role.AUDITOR, own=(Role.POLICE, Role.OPERATOR, Role.CONSUMER)
    ),
    Permission.CASE_RECOVER: _rule("Record that a device was found.", Role.OFFICER, own=(Role.POLICE,)),
    Permission.CASE_AMEND: _rule(
        "Add to a case, or take it back.",
        Role.OFFICER,
        own=(Role.POLICE, Role.OPERATOR, Role.CONSUMER),
    ),
    Permission.SIGHTING_TELL: _rule("Tell where a lost device was seen.", Role.OPERATOR, Role.SYSTEM),
    Permission.TRACE_READ: _rule(
        "See who uses a lost device, each time with a legal basis.", own=(Role.POLICE,)
    ),
    Permission.DEVICE_REGISTER: _rule(
        "Register devices.", Role.OFFICER, Role.CUSTOMS, own=(Role.IMPORTER, Role.DEALER, Role.CONSUMER)
    ),
    Permission.DEVICE_READ: _rule(
        "See registered devices.",
        *_REGULATOR,
        Role.AUDITOR,
        own=(Role.IMPORTER, Role.DEALER, Role.CONSUMER),
    ),
    Permission.DEVICE_TRANSFER: _rule(
        "Give a device to somebody else, and take one.",
        Role.OFFICER,
        own=(Role.IMPORTER, Role.DEALER, Role.CONSUMER),
    ),
    Permission.REPAIR_SIGN: _rule("Sign a repair or a swap of boards.", own=(Role.DEALER,)),
    Permission.DUTY_SETTLE: _rule(
        "Enter payments and refunds, propose to waive or change a duty.", Role.OFFICER, Role.CUSTOMS
    ),
    Permission.REVIEW_DECIDE: _rule("Decide what people say is not theirs.", Role.OFFICER, Role.REVIEWER),
    Permission.APPROVAL_MANAGE: _rule("Enter reports of laboratories.", Role.OFFICER, own=(Role.LAB,)),
    Permission.APPROVAL_READ: _rule(
        "See certificates.", *_REGULATOR, Role.AUDITOR, Role.CUSTOMS, Role.LAB, Role.IMPORTER
    ),
    Permission.APPROVAL_PROPOSE: _rule(
        "Draft certificates; ask that they be issued, extended, suspended, withdrawn.", Role.OFFICER
    ),
    Permission.APPROVAL_DECIDE: _rule(
        "Be the second person for certificates; conclude reports of counterfeits.", Role.REVIEWER
    ),
    Permission.SURVEILLANCE_MANAGE: _rule(
        "Audit the market and examine reports of counterfeits.", Role.OFFICER
    ),
    Permission.COUNTERFEIT_REPORT: _rule(
        "Report a counterfeit.",
        Role.OFFICER,
        Role.CUSTOMS,
        Role.POLICE,
        Role.OPERATOR,
        Role.IMPORTER,
        Role.DEALER,
        Role.LAB,
        Role.CONSUMER,
    ),
    Permission.COUNTERFEIT_READ: _rule(
        "See everybody's reports of counterfeits and their photos.", Role.OFFICER, Role.REVIEWER, Role.POLICE
    ),
    Permission.IMPORT_SUBMIT: _rule("Submit consignments.", own=(Role.IMPORTER,)),
    Permission.IMPORT_RELEASE: _rule("Release consignments.", Role.CUSTOMS),
    Permission.IMPORT_LOOK_UP: _rule("Ask whether one IMEI is in a sealed list.", Role.CUSTOMS, Role.OFFICER),
    Permission.IMPORT_READ: _rule(
        "See consignments, never their IMEIs.",
        *_REGULATOR,
        Role.AUDITOR,
        Role.CUSTOMS,
        own=(Role.IMPORTER,),
    ),
    Permission.IMPORT_LICENSE: _rule("License importers.", Role.OFFICER),
    Permission.IMPORT_CHECK: _rule("Have consignments checked.", Role.CUSTOMS, Role.SYSTEM),
    Permission.IMPORT_REVIEW: _rule(
        "Be the second person for releases that the checks speak against.", Role.REVIEWER
    ),
    Permission.IMPORT_NOTE_USE: _rule(
        "Say that a network saw an IMEI, to find those not released.", Role.SYSTEM
    ),
    Permission.PAIRING_MANAGE: _rule(
        "Make and release pairings.", Role.OFFICER, own=(Role.OPERATOR, Role.CONSUMER)
    ),
    Permission.SUBSCRIBER_REPORT: _rule(
        "Report who holds which number with which SIM.", own=(Role.OPERATOR,)
    ),
    Permission.APPEAL_EXAMINE: _rule(
        "Examine appeals, ask for evidence, recommend an outcome.", Role.OFFICER
    ),
    Permission.APPEAL_MAKE: _rule("Appeal.", Role.OFFICER, Role.OPERATOR, own=(Role.CONSUMER,)),
    Permission.APPEAL_DECIDE: _rule("Decide appeals.", Role.REVIEWER),
    Permission.RUN_APPLY: _rule("Take over a run's decisions.", Role.ADMINISTRATOR, Role.SYSTEM),
    Permission.RUN_READ: _rule(
        "See runs and their lists.", *_REGULATOR, Role.AUDITOR, Role.OPERATOR, Role.SYSTEM
    ),
    Permission.EXCEPTION_READ: _rule(
        "See with which of one's own subscribers blocked equipment works.", own=(Role.OPERATOR,)
    ),
    Permission.RELEASE_MANAGE: _rule("Release decisions by stages, stop a release.", Role.OFFICER),
    Permission.RELEASE_CARRY_ON: _rule(
        "Let a running release go on; it stops at its budget.", Role.SYSTEM, Role.OFFICER
    ),
    Permission.RELEASE_READ: _rule(
        "See releases, and write the lists that go out.", *_REGULATOR, Role.AUDITOR, Role.SYSTEM
    ),
    Permission.OVERRIDE_PROPOSE: _rule("Ask for an emergency override.", Role.OFFICER),
    Permission.STATUS_READ: _rule("Ask for a device's status.", *Role),
    Permission.WEBHOOK_MANAGE: _rule(
        "Have the organisation's own programs told what happened.",
        own=tuple(role for role in Role if role not in (Role.CONSUMER, Role.SYSTEM)),
    ),
    Permission.NOTICE_READ: _rule("See who was told what and when.", *_REGULATOR, Role.AUDITOR),
    Permission.NOTICE_SEND: _rule("Let notices that are due be sent.", Role.SYSTEM, Role.OFFICER),
    Permission.NOTICE_PREFER: _rule(
        "Say in which language a number is told, or that it is not.",
        Role.SYSTEM,
        Role.OFFICER,
        Role.OPERATOR,
        own=(Role.CONSUMER,),
    ),
}


def require(actor: Actor, permission: Permission, *, owner: int | None = None) -> None:
    """Let an actor go on, or refuse.

    Args:
        owner: the organisation that what is acted on belongs to; None: to nobody in particular.

    Raises:
        PermissionDeniedError: the role does not have it, or has it for its own things only.
    """
    rule = RULES[permission]
    role = actor.acts_as
    if role not in rule.roles or (role in rule.own and owner is not None and owner != actor.organisation):
        raise PermissionDeniedError(
            f"{permission.value} is not for {role.value} here.",
            f"It is for: {', '.join(sorted(r.value for r in rule.roles)) or 'nobody'}.",
        )


def matrix() -> Mapping[Permission, Mapping[Role, str]]:
    """Who may do what: `yes`, `own`, or nothing."""
    return {
        permission: {
            role: "own" if role in rule.own else "yes" if role in rule.roles else "" for role in Role
        }
        for permission, rule in RULES.items()
    }
