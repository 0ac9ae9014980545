"""Images and labels for training: rendered rooms, or the real dataset on disk."""
