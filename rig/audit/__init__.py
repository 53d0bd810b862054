"""Whether a closed run is what it was: held against its own sums, its bench's signature, and an anchor elsewhere."""
