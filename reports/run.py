"""Placeholder: see rig.record.reading."""

from rig.record.reading import Air, RecordFile, Run, TestAnalysis, read_run  # noqa: F401
