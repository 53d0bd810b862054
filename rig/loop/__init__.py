"""The loop over a bench: what was weighed reaches a virtual person, a sensor reads him, a controller decides. Pure.

Not responsible for weighing, nor for telling a pump anything (`rig.procedures.loop`).
"""
