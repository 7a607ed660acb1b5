"""Training sets, training runs and publishing, as the command line offers them."""
