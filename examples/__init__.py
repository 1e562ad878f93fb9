"""Programs worth reading: each is a source text, and what is done with its derivatives."""
