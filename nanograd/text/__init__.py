"""Text: files, tokens and the batches made of them."""
