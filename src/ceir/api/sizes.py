"""Octets that requests may have where the usual few are not enough; larger ones are refused unread."""

from ceir.registry.documents.keeping import MOST_OCTETS

_AROUND = 64 * 1024
"""What stands around a file in a form."""

MOST_LISTED = 2 * 1024 * 1024
"""Of lists in a body."""

MOST_UPLOADED = MOST_OCTETS + _AROUND
"""Of a document or a photo."""

MOST_UPLOADED_ROWS = 20 * 1024 * 1024 + _AROUND
"""Of a file of devices to register."""

MOST_UPLOADED_LIST = 1_000_000_000 + _AROUND
"""Of an importer's list of IMEIs."""
