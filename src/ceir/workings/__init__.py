from ceir.workings.declaration import Working, all_workings

__all__ = ["Working", "all_workings"]
