from ceir.pipeline.what_if.replaying import WhatIfError, WhatIfRequest, data_fingerprint, what_if
from ceir.pipeline.what_if.result import WhatIf

__all__ = ["WhatIf", "WhatIfError", "WhatIfRequest", "data_fingerprint", "what_if"]
