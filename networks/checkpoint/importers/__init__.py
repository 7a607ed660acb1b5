"""One file per layout: a function `Source -> Checkpoint | None`, tried in the order of `IMPORTERS` in load.py."""
