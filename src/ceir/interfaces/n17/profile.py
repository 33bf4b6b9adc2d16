"""What this server tells an NRF about itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import ClassVar
from uuid import UUID

from ceir.errors import CeirError
from ceir.interfaces.n17.authorization import NF_TYPE, SCOPE

SERVICE_NAME = "n5g-eir-eic"
API_VERSION = "1.3.0"
"""Of the Release 18 description that `openapi.yaml` follows."""


class InvalidProfileError(CeirError):
    """What was configured cannot be registered."""

    code: ClassVar[str] = "n17_invalid_profile"


@dataclass(frozen=True, slots=True)
class EirProfile:
    """An EIR instance and its one service.

    Args:
        instance: NF instance identity, a UUID; must be the same after a restart.
        address: where consumers connect: an IPv4 or IPv6 address, or a fully qualified domain name.
        port: 1 to 65535.
        plmns: served networks as (MCC, MNC), digits.
        secure: True: TLS.
        api_prefix: as in `N17Application`.
        token_required: True: consumers must bring an access token.
        allowed_nf_types: who may discover this instance; AMFs ask, an MME asks over S13.
        capacity: weight among instances of the same priority, 0 to 65535.
        priority: lower is asked first, 0 to 65535.
        locality: free text of the operator, such as a data centre; empty: none.
        heartbeat_seconds: what is proposed to the NRF, which decides; 1 or more.

    Raises:
        InvalidProfileError: a value out of its range.

    Source: 3GPP TS 29.510 clauses 6.1.6.2.2 (NFProfile), 6.1.6.2.3 (NFService).
    """

    instance: str
    address: str
    port: int
    plmns: tuple[tuple[str, str], ...]
    secure: bool = False
    api_prefix: str = ""
    token_required: bool = False
    allowed_nf_types: tuple[str, ...] = ("AMF",)
    capacity: int = 100
    priority: int = 0
    locality: str = ""
    heartbeat_seconds: int = 10

    def __post_init__(self) -> None:
        try:
            canonical = str(UUID(self.instance))
        except ValueError:
            canonical = ""
        if canonical != self.instance.lower():
            raise InvalidProfileError(
                "The NF instance identity is no UUID.", "Draw one once and keep it in the configuration."
            )
        if not 1 <= self.port <= 65535 or not self.address:
            raise InvalidProfileError("Address or port is missing.", "Name what consumers connect to.")
        for mcc, mnc in self.plmns:
            if not (len(mcc) == 3 and len(mnc) in (2, 3) and (mcc + mnc).isascii() and (mcc + mnc).isdigit()):
                raise InvalidProfileError("An MCC has 3 digits, an MNC 2 or 3.", "Correct the network codes.")

    def document(self, load: int = 0) -> dict[str, object]:
        """The NFProfile as JSON values; `load` in percent."""
        # `nfServices`, deprecated since Release 16 in favour of a map, is what every core understands.
        profile: dict[str, object] = {
            "nfInstanceId": self.instance.lower(),
            "nfType": NF_TYPE,
            "nfStatus": "REGISTERED",
            "heartBeatTimer": self.heartbeat_seconds,
            **self._where(),
            "allowedNfTypes": list(self.allowed_nf_types),
            "priority": self.priority,
            "capacity": self.capacity,
            "load": load,
            "nfServices": [self._service()],
        }
        if self.plmns:
            profile["plmnList"] = [{"mcc": mcc, "mnc": mnc} for mcc, mnc in self.plmns]
        if self.locality:
            profile["locality"] = self.locality
        return profile

    def _where(self) -> dict[str, object]:
        ip = self._ip()
        if ip is None:
            return {"fqdn": self.address}
        return {f"ipv{ip.version}Addresses": [str(ip)]}

    def _ip(self) -> IPv4Address | IPv6Address | None:
        try:
            return ip_address(self.address)
        except ValueError:
            return None

    def _service(self) -> dict[str, object]:
        end_point: dict[str, object] = {"transport": "TCP", "port": self.port}
        ip = self._ip()
        if ip is not None:
            end_point[f"ipv{ip.version}Address"] = str(ip)
        service: dict[str, object] = {
            "serviceInstanceId": "1",
            "serviceName": SERVICE_NAME,
            "versions": [{"apiVersionInUri": "v1", "apiFullVersion": API_VERSION}],
            "scheme": "https" if self.secure else "http",
            "nfServiceStatus": "REGISTERED",
            "ipEndPoints": [end_point],
            "allowedNfTypes": list(self.allowed_nf_types),
            "supportedFeatures": "0",
            "oauth2Required": self.token_required,
        }
        if ip is None:
            service["fqdn"] = self.address
        if self.api_prefix:
            service["apiPrefix"] = self.api_prefix.strip("/")
        return service


def equipment_check_roots(nf: Mapping[str, object]) -> list[str]:
    """The API roots under which a discovered EIR offers the equipment check.

    Args:
        nf: an NFProfile as an NRF gives it; anything in it that is not as specified is passed over.

    Returns:
        Like `https://10.0.0.7:443/prefix`; empty when it has none.

    Source: 3GPP TS 29.510 clause 6.2.6.2.4; TS 29.501 clause 4.4.1.
    """
    services = nf.get("nfServices")
    if not isinstance(services, list):
        by_id = nf.get("nfServiceList")
        services = list(by_id.values()) if isinstance(by_id, dict) else []
    roots: list[str] = []
    for service in services:
        if isinstance(service, dict) and service.get("serviceName") == SCOPE:
            roots.extend(_roots(nf, service))
    return roots


def _roots(nf: Mapping[str, object], service: Mapping[str, object]) -> list[str]:
    scheme = "https" if service.get("scheme") == "https" else "http"
    prefix = service.get("apiPrefix")
    tail = f"/{prefix.strip('/')}" if isinstance(prefix, str) and prefix.strip("/") else ""
    fqdn = service.get("fqdn") or nf.get("fqdn")
    points = service.get("ipEndPoints")
    roots: list[str] = []
    for point in points if isinstance(points, list) else [{}]:
        if not isinstance(point, dict):
            continue
        host = point.get("ipv4Address") or _bracketed(point.get("ipv6Address")) or fqdn
        host = host or _first(nf.get("ipv4Addresses")) or _bracketed(_first(nf.get("ipv6Addresses")))
        port = point.get("port", 443 if scheme == "https" else 80)
        if isinstance(host, str) and isinstance(port, int):
            roots.append(f"{scheme}://{host}:{port}{tail}")
    return roots


def _first(values: object) -> object:
    return values[0] if isinstance(values, list) and values else None


def _bracketed(address: object) -> str | None:
    return f"[{address}]" if isinstance(address, str) else None
