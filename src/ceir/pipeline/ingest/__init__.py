from ceir.pipeline.ingest.taking import Delivery, take_in
from ceir.pipeline.ingest.undoing import undo

__all__ = ["Delivery", "take_in", "undo"]
