from ceir.tables.declaration import Column, Table, all_tables

__all__ = ["Column", "Table", "all_tables"]
