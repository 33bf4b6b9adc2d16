"""Codes for tests: always the same ones, one after another."""

from itertools import count

from ceir.registry.codes.drawing import LETTERS, Draw

_COUNTER = count(1)


def counted_draw() -> Draw:
    """Draws that go on from the last one drawn."""

    def letters(length: int) -> str:
        number = next(_COUNTER) * 7919
        text = ""
        for _ in range(length):
            number, place = divmod(number, len(LETTERS))
            text += LETTERS[place]
        return text

    return Draw(
        digits=lambda length: f"{next(_COUNTER) * 104729 % 10**length:0{length}}",
        letters=letters,
        octets=lambda length: next(_COUNTER).to_bytes(length, "big"),
    )
