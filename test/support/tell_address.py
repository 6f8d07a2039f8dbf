"""A command for `BROWSER` that writes the URL to a file; the test reads it and opens the URL in its own browser."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    address = Path(os.environ["ADDRESS"])
    address.with_suffix(".new").write_text(sys.argv[1], encoding="utf-8")
    address.with_suffix(".new").rename(address)
