"""What a run leaves: one set of types, written and read."""
