"""All that a small country needs, in one process tree: web, workers, and the equipment check beside."""
