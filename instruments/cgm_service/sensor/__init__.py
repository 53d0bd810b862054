"""The sensor that the rig plays: its measurements, its control points, its GATT server. It knows no collector."""
