"""Trouble: instruments and lines fail in every way at every moment, and the rig must say the truth all the same.

    python -m suites.selftest.trouble                          every cell, the wrong pumps, a served bench
    python -m suites.selftest.trouble balance-stuck-blank-bolus    one cell again, with what came of it

A cell is a fault of a device that begins at a moment of a measurement. Whatever the rig makes of it must be true: the
verdicts of the sound bench, or an error of the rig in a sentence; never FAIL for a pump that is right, never PASS with
a value that is not the truth, never a traceback, never a pump that is left running.
"""
