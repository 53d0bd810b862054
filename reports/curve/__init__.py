"""A curve described once, as a value, and drawn from it twice: for print and for the interactive page."""
