// Parity
