"""One folder a device, pumps included: driver.py (how we ask), twin.py (how it answers), protocol.md (both obey it)."""
