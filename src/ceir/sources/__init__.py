from ceir.sources.declaration import Bond, Check, Field, Source, all_sources, source_named

__all__ = ["Bond", "Check", "Field", "Source", "all_sources", "source_named"]
