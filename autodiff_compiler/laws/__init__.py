"""Laws that passes apply where a node is about to be made: a family of them in each module."""
