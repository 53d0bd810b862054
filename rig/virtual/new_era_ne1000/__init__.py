"""The far side of a New Era NE-1000 syringe pump's wire: a pump that only moves a plunger at a rate."""
