from ceir.pipeline.engines.engine import Engine, EngineError, Limits
from ceir.pipeline.engines.duck import DuckEngine

__all__ = ["DuckEngine", "Engine", "EngineError", "Limits"]
