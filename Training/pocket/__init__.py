"""Trains the pocket model: a small speech tokenizer, SoundStorm and LLaMA in the official AnyGPT layouts."""
