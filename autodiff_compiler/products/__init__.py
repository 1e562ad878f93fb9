"""Products of arrays: what they are, in which order they are multiplied, and linear maps."""
