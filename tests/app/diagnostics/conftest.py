"""Generators of known sticking, opened without a file."""

from tests.synthetic import synthetics

__all__ = ["synthetics"]
