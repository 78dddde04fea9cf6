"""The official file layouts: written, read back, and where the weights come from."""
