"""Proof that the suites bite: wrong pumps, which tests are tried first, and what came of each."""
