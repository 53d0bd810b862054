"""A CGM sensor over Bluetooth LE, which the rig plays, and a collector that reads it (protocol.md)."""
