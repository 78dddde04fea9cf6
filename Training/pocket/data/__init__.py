"""What is learned from: voices and their features, pictures, music, and their codes by construction."""
