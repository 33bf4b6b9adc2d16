from ceir.facts.declaration import Context, Fact, all_facts

__all__ = ["Context", "Fact", "all_facts"]
