from ceir.pipeline.release.dating import name_staged
from ceir.pipeline.release.watching import release_states

__all__ = ["name_staged", "release_states"]
