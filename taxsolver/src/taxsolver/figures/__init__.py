"""Pictures; they need the extra `[plot]`. Every function returns a matplotlib figure of its own."""
