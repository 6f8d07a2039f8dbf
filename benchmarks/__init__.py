"""Benchmarks for docs/PERFORMANCE.md. Run them with `python -m benchmarks`; they need the extra `benchmarks`."""
