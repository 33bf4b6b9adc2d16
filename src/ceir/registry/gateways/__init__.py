from ceir.registry.gateways.declaration import (
    Gateway,
    GatewayError,
    GatewayKind,
    Incoming,
    Keep,
    Message,
    Outcome,
    Receipt,
    ReceiptState,
    Sent,
    all_gateways,
    open_gateway,
)

__all__ = [
    "Gateway",
    "GatewayError",
    "GatewayKind",
    "Incoming",
    "Keep",
    "Message",
    "Outcome",
    "Receipt",
    "ReceiptState",
    "Sent",
    "all_gateways",
    "open_gateway",
]
