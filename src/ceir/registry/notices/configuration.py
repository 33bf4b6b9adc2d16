"""How a country tells people, as the installer writes it down: one file, secrets in files of their own."""

import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError

from ceir.errors import CeirError
from ceir.registry.gateways import all_gateways
from ceir.registry.notices.terms import NoticeTerms, QuietHours, Told, Untold
from ceir.registry.notices.wording import wordings, wordings_with

_LONGEST_SECRET = 4096
_SUFFIX = "_file"
_READABLE_BY_ALL = stat.S_IROTH | stat.S_IWOTH

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
Operator = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,16}$")]


class NoticeConfigurationError(CeirError):
    """The file that says how people are told cannot be used."""

    code: ClassVar[str] = "notice_configuration"
    exit_code = 2


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Quiet(_Written):
    begin: time
    end: time
    zone: str = Field(default="", max_length=64)


class _Way(_Written):
    name: Name
    kind: str
    operators: tuple[Operator, ...] = ()
    address: str = Field(default="", max_length=200)
    options: Mapping[str, Any] = Field(default_factory=dict)


class _File(_Written):
    name: str
    short_code: str
    quiet: _Quiet
    days: tuple[int, ...] = (30, 7, 1)
    languages: tuple[str, ...] = ("en",)
    texts: Path | None = None
    opt_out: bool = False
    reasons: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    tries: int = Field(default=5, le=50)
    pause_minutes: float = Field(default=5, gt=0, le=1440)
    longest_pause_hours: float = Field(default=6, gt=0, le=240)
    given_up_minutes: float = Field(default=60, ge=5, le=1440)
    reported_days: float = Field(default=3, gt=0, le=30)
    told: Told = Told.DELIVERED
    untold: Untold = Untold.BLOCK
    hold_days: int = 14
    gateways: tuple[_Way, ...] = ()


@dataclass(frozen=True)
class Way:
    """A gateway as it is set up.

    Args:
        operators, besides, rest, address: see `sending.Route`.
        options: of its kind, with the secrets in them.
    """

    name: str
    kind: str
    options: Mapping[str, object]
    operators: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    rest: bool = True
    address: str = ""

    def __repr__(self) -> str:
        return f"Way({self.name}: {self.kind})"


@dataclass(frozen=True)
class NoticeConfiguration:
    """Everything that the file says."""

    terms: NoticeTerms
    ways: tuple[Way, ...]


def read_configuration(path: Path, zone: str = "UTC") -> NoticeConfiguration:
    """Read the file; paths in it are taken from where it lies.

    Args:
        zone: whose clock counts where the file names none: the country's.

    Raises:
        NoticeConfigurationError: something in it cannot be, a secret stands in it or lies open; every hint
            says where.
        NoticeTermsError, WordingError: what it says of notices cannot be.
    """
    try:
        with path.open("rb") as file:
            written = _File.model_validate(tomllib.load(file))
    except OSError as error:
        raise NoticeConfigurationError(
            f"{path} cannot be read.", "Name another in CEIR_NOTICES, or mend its rights."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NoticeConfigurationError(f"{path} is not TOML: {error}", "See docs/notices.md.") from error
    except ValidationError as error:
        # What stands there is not repeated: somebody may have written a password in the wrong place.
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise NoticeConfigurationError(f"{path}: {where}: {first['msg']}.", "See docs/notices.md.") from error
    terms = NoticeTerms(
        name=written.name,
        short_code=written.short_code,
        quiet=QuietHours.of(written.quiet.begin, written.quiet.end, written.quiet.zone or zone),
        days=written.days,
        languages=written.languages,
        opt_out=written.opt_out,
        reasons=written.reasons,
        tries=written.tries,
        pause=timedelta(minutes=written.pause_minutes),
        longest_pause=timedelta(hours=written.longest_pause_hours),
        given_up=timedelta(minutes=written.given_up_minutes),
        reported=timedelta(days=written.reported_days),
        told=written.told,
        untold=written.untold,
        hold_days=written.hold_days,
        wordings=wordings_with(path.parent / written.texts) if written.texts else wordings(),
    )
    return NoticeConfiguration(terms, _ways(written.gateways, path))


def _ways(written: tuple[_Way, ...], path: Path) -> tuple[Way, ...]:
    names = [way.name for way in written]
    if len(set(names)) != len(names):
        raise NoticeConfigurationError("Two gateways have the same name.", "Reports are told apart by it.")
    claimed = tuple(operator for way in written for operator in way.operators)
    if len(set(claimed)) != len(claimed):
        raise NoticeConfigurationError("An operator is with two gateways.", "Each is reached by one.")
    for_all = [way.name for way in written if not way.operators]
    if len(for_all) > 1:
        raise NoticeConfigurationError(
            f"{', '.join(for_all)} would each reach everybody.", "Name the operators of all but one."
        )
    rest = for_all[0] if for_all else names[0] if names else ""
    return tuple(
        Way(
            name=way.name,
            kind=way.kind,
            options=_options(way, path),
            operators=way.operators,
            besides=() if way.operators else claimed,
            rest=way.name == rest,
            address=_address(way),
        )
        for way in written
    )


def _address(way: _Way) -> str:
    kind = all_gateways().get(way.kind)
    if kind is None:
        kinds = ", ".join(all_gateways())
        raise NoticeConfigurationError(f"There is no gateway {way.kind!r}.", f"Kinds: {kinds}.")
    if (kind.address == "mail") != (way.address.count("{number}") == 1):
        raise NoticeConfigurationError(
            f"Gateway {way.name}: a gateway of mail, and no other, has an address.",
            'Like address = "{number}@sms.example.org".',
        )
    return way.address


def _options(way: _Way, path: Path) -> Mapping[str, object]:
    """The options, each secret read from the file that `NAME_file` names."""
    kind = all_gateways().get(way.kind)
    secrets = (
        {name for name, field in kind.options.model_fields.items() if field.annotation is SecretStr}
        if kind is not None
        else set()
    )
    options: dict[str, object] = {}
    for name, value in way.options.items():
        if name in secrets:
            raise NoticeConfigurationError(
                f"Gateway {way.name}: {name} stands in the file.",
                f"Write it into a file that only the register reads, and name it: {name}{_SUFFIX}.",
            )
        plain = name.removesuffix(_SUFFIX)
        if name.endswith(_SUFFIX) and plain in secrets:
            options[plain] = _secret(path.parent / str(value), f"Gateway {way.name}: {name}")
        else:
            options[name] = value
    return options


def _secret(path: Path, what: str) -> str:
    try:
        if path.stat().st_mode & _READABLE_BY_ALL:
            raise NoticeConfigurationError(
                f"{what}: everybody on this machine can read it.", f"chmod 640 {path}"
            )
        with path.open("rb") as file:
            octets = file.read(_LONGEST_SECRET + 1)
        secret = octets.decode("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise NoticeConfigurationError(
            f"{what}: {path} cannot be read.", "Mend its path or rights."
        ) from error
    if not secret or len(octets) > _LONGEST_SECRET or not secret.isprintable():
        raise NoticeConfigurationError(f"{what}: there is no secret in it.", "One line of text.")
    return secret
