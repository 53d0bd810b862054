"""Numbers from arrays: pure functions, frozen results; no clock, no I/O."""
