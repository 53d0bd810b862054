"""The virtual person beside other people's numbers."""
