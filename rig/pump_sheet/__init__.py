"""What a pump's maker claims of it: the pump sheet, and the placeholders that other files fill from it."""
