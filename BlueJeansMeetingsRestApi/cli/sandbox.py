"""`bluejeans-auth sandbox`: pass the options to `sandbox/__main__.py`, which runs the sandbox."""

from __future__ import annotations

import argparse


def run(arguments: argparse.Namespace) -> int:
    """Run the sandbox until it is interrupted."""
    from ..sandbox.__main__ import main

    lifetime = [] if arguments.lifetime is None else [f"--lifetime={arguments.lifetime}"]
    return main([f"--port={arguments.port}", *(["--tls"] if arguments.tls else []), *lifetime])
