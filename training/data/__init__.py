"""Where images and labels come from: rendered rooms, or the real dataset on disk."""
