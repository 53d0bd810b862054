"""Whoever reads a CGM sensor over Bluetooth LE, as a phone does. It knows nothing of the sensor that the rig plays."""
