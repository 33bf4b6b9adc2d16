from ceir.pipeline.engines.duck import DuckEngine
from ceir.pipeline.engines.engine import Engine, EngineError, Limits

__all__ = ["DuckEngine", "Engine", "EngineError", "Limits"]
