"""What `BROWSER` names in these tests: it writes the address to where the test, which has a browser, reads it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    address = Path(os.environ["ADDRESS"])
    address.with_suffix(".new").write_text(sys.argv[1], encoding="utf-8")
    address.with_suffix(".new").rename(address)
