"""Reading `country.toml`: unknown keys are errors that list the valid ones."""

import tomllib
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

from pydantic import ValidationError

from ceir.errors import CeirError
from ceir.policy.faults import faults_of
from ceir.registry.country.policy_part import PolicyPart
from ceir.registry.country.written import CountryFile

FILE = "country.toml"
"""Its name in a workspace, beside the policy."""

_SEE = "Every key, its range and what it means: docs/reference/country.md"


class CountryFileError(CeirError):
    """The country's own settings cannot be obeyed as they are written."""

    code: ClassVar[str] = "country_invalid"
    exit_code: ClassVar[int] = 2


@dataclass(frozen=True)
class Decided:
    """What a country decides that its register obeys; told to every process of it.

    Args:
        own: its own settings.
        policy: what its policy says; None: no policy is known here.
        origin: the file, for errors.
    """

    own: CountryFile = field(default_factory=CountryFile)
    policy: PolicyPart | None = None
    origin: str = FILE


def read_country(path: Path) -> CountryFile:
    """The country's own settings in a file.

    Raises:
        CountryFileError: unreadable, not TOML, unknown keys or values outside their range; each is named.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise CountryFileError(
            f"{path} cannot be read: {error.strerror}.", "Mend its rights, or name another in CEIR_COUNTRY."
        ) from error
    except UnicodeDecodeError as error:
        raise CountryFileError(f"{path} is no UTF-8.", "Save it as UTF-8.") from error
    return parse_country(text, str(path))


def parse_country(text: str, where: str) -> CountryFile:
    """The country's own settings in a TOML text.

    Args:
        where: names the text in errors.

    Raises:
        CountryFileError: as `read_country`.
    """
    try:
        return CountryFile.model_validate(tomllib.loads(text, parse_float=Decimal))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise CountryFileError(f"{where} is not TOML: {error}.", "Mend the line it names.") from error
    except ValidationError as error:
        raise CountryFileError(f"{where}: {faults_of(error, CountryFile, meanings=True)}.", _SEE) from error


def require_agreeing(decided: Decided) -> None:
    """Go on if the country's own settings and its policy can both be obeyed.

    Raises:
        CountryFileError: a stage names an operator that the policy lacks, or the region's numbers begin
            otherwise than the policy says.
    """
    own, policy = decided.own, decided.policy
    if policy is None:
        return
    for number, stage in enumerate(own.releases.stages, start=1):
        unknown = sorted(set(stage.operators) - set(policy.networks))
        if unknown:
            raise CountryFileError(
                f"{decided.origin}: `releases.stages.{number}.operators` names {', '.join(unknown)}, which "
                "the policy does not have.",
                f"Type ids of its operators: {', '.join(sorted(policy.networks))}",
            )
    if own.region is None:
        return
    import phonenumbers  # noqa: PLC0415 - large; most commands never ask for it

    code = str(phonenumbers.country_code_for_region(own.region))
    if code not in policy.country_codes:
        raise CountryFileError(
            f"{decided.origin}: `region`: numbers of {own.region} begin with {code}; the policy says "
            f"{', '.join(policy.country_codes)}.",
            "Type the two letters of the policy's country, or mend country_codes in policy.toml",
        )
