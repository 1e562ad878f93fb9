"""Where divisors of a program are 0, and what it is there: its series."""
