"""OpenCEIR: a country's register of devices, from operators' files to the lists that block and protect."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("openceir")
except PackageNotFoundError:  # running from a source tree that was never installed
    __version__ = "0+unknown"
