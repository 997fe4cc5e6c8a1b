"""Benchmarks: each prints one JSON line last; see docs/performance.md."""
