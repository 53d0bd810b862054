"""Vaisala PTU300 transmitter: pressure, temperature and humidity of the air around the balance."""
