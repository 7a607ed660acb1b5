"""What a checkpoint can do wrong, said in one sentence."""


class CheckpointError(Exception):
    """A file cannot be opened as a generator: names the file, the key, the numbers and a remedy."""
