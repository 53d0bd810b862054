"""Does another program take in the traceability matrix? It needs strictdoc, which has an environment of its own."""
