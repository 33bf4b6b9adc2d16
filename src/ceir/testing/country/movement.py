"""How people of a synthetic country move, and how well networks tell where: each a named knob.

All of them are guesses, chosen to give the confounders of rules on place and time enough cases.
"""

from dataclasses import dataclass, fields

_WHOLE = frozenset({"days", "events_a_day", "radius_m", "skew_s"})


@dataclass(frozen=True)
class Movement:
    """Knobs of detailed sightings, cells and fingerprints; shares unless said otherwise.

    Args:
        days: last days of the period that have sightings, 1 to 400.
        events_a_day: most sightings of a use on a day on which it is active, 1 to 96.
        ordinary: uses of unshared IMEIs that have sightings; they change no signal and cost time.
        trips: days on which an ordinary phone goes to another town by road and back.
        stray: sightings that name a cell far away.
        misplaced: cells whose position in the list is another town's.
        skew_s: largest error of an operator's clock, in seconds, either way.
        late: sightings that arrive in a second file.
        radius_m: radius that the list of cells states.
        fingerprint_days: active days with a fingerprint.
        fingerprint_noise: fingerprints with a word that is not the device's usual one, or an old version.
        other_browser: subscribers who use other software than the device's other users.
        unlike_slots: phones with two slots and one IMEI whose slots declare different radios.
        put_back: devices on which somebody puts an old version back, once.
        like_hardware: clones, replicas apart, whose hardware shows the fingerprint of the copied model.
    """

    days: int = 28
    events_a_day: int = 10
    ordinary: float = 0.03
    trips: float = 0.02
    stray: float = 0.0005
    misplaced: float = 0.003
    skew_s: int = 60
    late: float = 0.05
    radius_m: int = 6_000
    fingerprint_days: float = 0.25
    fingerprint_noise: float = 0.01
    other_browser: float = 0.1
    unlike_slots: float = 0.2
    put_back: float = 0.02
    like_hardware: float = 0.3

    def __post_init__(self) -> None:
        for knob in fields(self):
            value = getattr(self, knob.name)
            assert 0 <= value <= (100_000 if knob.name in _WHOLE else 1), f"{knob.name} = {value}"
        assert 1 <= self.days <= 400
        assert 1 <= self.events_a_day <= 96
