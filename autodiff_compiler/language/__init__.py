"""The language beneath the parser: tokens, scopes, and what calls and indices mean."""
