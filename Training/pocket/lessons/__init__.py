"""What the networks are told: sequences, batches, and what is changed in them on purpose."""
