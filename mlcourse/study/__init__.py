"""Studies: methods side by side on the same data over several seeds, in rows that a command writes."""
