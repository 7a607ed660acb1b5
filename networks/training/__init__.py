"""Training of the families: discriminators, losses and regularizers, data, the trainer."""
