"""The options of the commands that have no module of their own for them, one module for each kind of work."""
