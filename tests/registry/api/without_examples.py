"""Endpoints that have no example, with why. A new endpoint comes with one."""

WITHOUT: frozenset[str] = frozenset()
