"""How parameters descend, for one task and for many at once."""
