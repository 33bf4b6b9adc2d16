from ceir.rungs.declaration import Rung, all_rungs

__all__ = ["Rung", "all_rungs"]
