"""The networks, in the official checkpoints' key names."""
