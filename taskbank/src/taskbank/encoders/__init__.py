"""Third-party encoders, of timm and the Hub: a feature level of a model as a map of its own size and mean."""
