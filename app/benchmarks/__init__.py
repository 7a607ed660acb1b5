"""Measurements of `main.py bench`: pictures, the window, the reader, memory; each in a process of its own."""
