"""Text to token ids and back. `restore.tokenizer_from_state` rebuilds any of them."""
