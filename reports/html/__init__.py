"""A document as one page for browsers. Opens no bench, and loads nothing."""
