"""How many nights a laboratory gets done with so many rigs: queue, failures, kills and calibrations, simulated."""
