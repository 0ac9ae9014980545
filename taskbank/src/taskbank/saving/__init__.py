"""Writing of predictions and representations to files."""
