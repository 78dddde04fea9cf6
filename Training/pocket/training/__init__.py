"""The stages that train, and the loop that they share."""
