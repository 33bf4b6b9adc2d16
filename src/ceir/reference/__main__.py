import sys
from pathlib import Path

from ceir.errors import UsageError
from ceir.reference import write

if len(sys.argv) != 2:
    raise SystemExit(str(UsageError("Name one folder.", "python -m ceir.reference docs/reference")))
for file in write(Path(sys.argv[1])):
    print(file)
