"""What is talked about, and how it is written: the closed domain, dialogues, the tokenizer."""
