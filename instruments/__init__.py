"""One folder an instrument: driver.py (how we ask), twin.py (how it answers), protocol.md (what both obey)."""
