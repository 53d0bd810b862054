"""The HTML report in a real browser; needs Chromium."""
