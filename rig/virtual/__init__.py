"""The bench without hardware: a simulated world that real drivers reach through PyVISA and pyserial."""
