"""Reading a policy from its file: unknown keys are errors that list the valid ones."""

import hashlib
import tomllib
from decimal import Decimal
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from ceir.errors import CeirError
from ceir.policy.faults import faults_of
from ceir.policy.model import Policy


class PolicyError(CeirError):
    """The policy file cannot be obeyed as it is written."""

    code = "policy_invalid"


def load_policy(path: Path) -> tuple[Policy, str]:
    """The policy in a TOML file, and the SHA-256 of its text.

    Args:
        path: the file, or a folder that holds `policy.toml`.

    Raises:
        PolicyError: unreadable, not TOML, unknown keys or values outside their range; every fault is named.
    """
    file = path / "policy.toml" if path.is_dir() else path
    try:
        text = file.read_bytes()
    except OSError as error:
        raise PolicyError(
            f"The policy {file} cannot be read: {error.strerror}.",
            f"Give a path, or one of the shipped policies: {', '.join(shipped_policies())}.",
        ) from error
    return parse_policy(text.decode("utf-8", "replace"), str(file)), hashlib.sha256(text).hexdigest()


def parse_policy(text: str, where: str) -> Policy:
    """The policy in a TOML text.

    Args:
        where: names the text in errors.

    Raises:
        PolicyError: as `load_policy`.
    """
    try:
        raw = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{where} is not TOML: {error}.", "Mend the line it names.") from error
    try:
        return Policy.model_validate(raw)
    except ValidationError as error:
        raise PolicyError(
            f"{where}: {faults_of(error, Policy)}.", "See docs/policy.md for every key."
        ) from error


def shipped_policies() -> dict[str, Path]:
    """Policies that come with the product, by name."""
    root = Path(str(resources.files("ceir"))) / "policies"
    if not root.is_dir():  # a source tree: the policies lie beside src/
        root = Path(__file__).resolve().parents[3] / "policies"
    return {folder.name: folder for folder in sorted(root.iterdir()) if (folder / "policy.toml").is_file()}
