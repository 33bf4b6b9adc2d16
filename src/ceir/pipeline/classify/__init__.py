from ceir.pipeline.classify.running import Request, classify

__all__ = ["Request", "classify"]
