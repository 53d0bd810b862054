"""KELLER 33X pressure transmitter: the pressure in the line, over the KELLER bus."""
