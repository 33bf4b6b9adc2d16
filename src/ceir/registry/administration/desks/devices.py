"""Devices and what identifies them."""

from ceir.registry.accounts.permissions import Permission
from ceir.registry.administration.declaring import Desk
from ceir.registry.devices.models import Device, Identifier

_READ = (Permission.DEVICE_READ,)

DESKS = (
    Desk(
        Device,
        sees=_READ,
        shown=("id", "manufacturer", "model", "device_type", "entered_at", "retired_at"),
        imei="identifiers__imei",
    ),
    Desk(
        Identifier,
        sees=_READ,
        shown=("device", "kind", "slot", "imei", "value", "bound_at", "ended_at"),
        filters=("kind",),
        find=("=value",),
        imei="imei",
    ),
)
