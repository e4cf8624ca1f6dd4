"""From a trained language model to text: how its next token is chosen."""
