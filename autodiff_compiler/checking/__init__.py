"""Everything a check compares with, and what it finds."""
