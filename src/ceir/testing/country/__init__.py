"""A synthetic country with hidden truth: files as operators and authorities deliver them, of any size.

Nothing in it is about real people or devices. It shows what rules do; it does not show how well they do in
the field.
"""

from ceir.testing.country.files import CountryFiles, Progress, write_country
from ceir.testing.country.movement import Movement
from ceir.testing.country.spec import (
    DEFAULT_OPERATORS,
    NO_WRONGS,
    CountryFolderNotEmptyError,
    CountrySpec,
    CountrySpecError,
    Habits,
    Label,
    Noise,
    OperatorSpec,
    Story,
    Wrongs,
)
from ceir.testing.country.truth import Example, find_example

__all__ = [
    "DEFAULT_OPERATORS",
    "NO_WRONGS",
    "CountryFiles",
    "CountryFolderNotEmptyError",
    "CountrySpec",
    "CountrySpecError",
    "Example",
    "Habits",
    "Label",
    "Movement",
    "Noise",
    "OperatorSpec",
    "Progress",
    "Story",
    "Wrongs",
    "find_example",
    "write_country",
]
