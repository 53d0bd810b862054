"""A published pump's table beside that of a virtual pump with the parameters of its first hour."""
