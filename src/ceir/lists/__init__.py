from ceir.lists.declaration import ControlList, ListColumn, all_lists, list_named

__all__ = ["ControlList", "ListColumn", "all_lists", "list_named"]
