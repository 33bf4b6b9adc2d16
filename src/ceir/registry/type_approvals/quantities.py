"""What laboratories measure, each in one unit, so that values of two laboratories can be compared."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something measurable.

    Args:
        unit: of values and limits.
    """

    name: str
    unit: str
    doc: str


QUANTITIES: Mapping[str, Quantity] = {
    quantity.name: quantity
    for quantity in (
        Quantity("sar_head", "W/kg", "Specific absorption rate at the head, over 10 g."),
        Quantity("sar_body", "W/kg", "Specific absorption rate at the body, over 10 g."),
        Quantity("sar_limb", "W/kg", "Specific absorption rate at a limb, over 10 g."),
        Quantity("sar_head_1g", "W/kg", "Specific absorption rate at the head, over 1 g."),
        Quantity("transmit_power", "dBm", "Greatest power at the antenna connector."),
        Quantity("radiated_power", "dBm", "Total radiated power."),
        Quantity(
            "reference_sensitivity", "dBm", "Weakest signal that is received at the error rate asked for."
        ),
        Quantity("isotropic_sensitivity", "dBm", "Total isotropic sensitivity."),
        Quantity("frequency_error", "Hz", "Distance from the channel's frequency."),
        Quantity("phase_error", "degree", "Root mean square of the phase error (GSM)."),
        Quantity("modulation_error", "%", "Error vector magnitude."),
        Quantity("adjacent_channel_leakage", "dB", "Power in the channel over that in the one beside it."),
        Quantity("spurious_emission", "dBm", "Strongest emission outside the channel and those beside it."),
        Quantity("radiated_disturbance", "dBµV/m", "Field strength of disturbances."),
        Quantity("electrostatic_discharge", "kV", "Highest discharge that it withstood."),
        Quantity("touch_current", "µA", "Current through a person who touches it while it is charged."),
        Quantity("surface_temperature", "°C", "Hottest place of its surface under load."),
        Quantity("receiver_volume", "dB(A)", "Loudest sound at the ear."),
        Quantity("battery_capacity", "mAh", "Capacity of the battery."),
    )
}
"""Every quantity by its name; another one is another line here."""
