from ceir.sources.declaration import Check, Field, Source, all_sources, source_named

__all__ = ["Check", "Field", "Source", "all_sources", "source_named"]
