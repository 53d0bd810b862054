"""Evidence in, documents out. Opens no bench."""
