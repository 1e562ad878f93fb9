"""Backends: what a graph is printed as, one file each."""
