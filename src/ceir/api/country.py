"""The country as endpoints ask for it; what it is stands with the register."""

from ceir.registry.country.given import Country, NotSetUpError, country

__all__ = ("Country", "NotSetUpError", "country")
