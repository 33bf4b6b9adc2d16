from ceir.facts.declaration import Context, Evidence, Fact, all_facts

__all__ = ["Context", "Evidence", "Fact", "all_facts"]
