"""Does a run survive `kill -9`? Killed at random moments, read, reported, and gone on with to its end."""
