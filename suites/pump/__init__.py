"""Does the pump meet its requirements?"""
