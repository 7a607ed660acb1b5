"""Generators of the StyleGAN family, their shared layers, and the reader of their checkpoints."""
