"""Does the firmware answer under an emulator that nobody here wrote? It needs qemu-system-arm, and no instrument."""
