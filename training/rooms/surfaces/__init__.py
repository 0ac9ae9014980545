"""Materials, textures and panoramas outside windows."""
