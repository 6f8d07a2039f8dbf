"""What docs/PERFORMANCE.md claims, measured: `python -m benchmarks`. It needs the extra `benchmarks`."""
