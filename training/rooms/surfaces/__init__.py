"""Materials, textures and the environment outside."""
