from ceir.pipeline.publish.publishing import PublishRequest, publish

__all__ = ["PublishRequest", "publish"]
