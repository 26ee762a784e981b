"""The guide's adapter, for the wrong ones to spoil."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "docs" / "guides"))

from example_adapter import Adapter, Refused, main  # noqa: E402,F401  (the path comes first)
