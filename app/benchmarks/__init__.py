"""Measurements of `main.py bench`: pictures, memory, the window. Numbers go to docs/benchmarks.md."""
