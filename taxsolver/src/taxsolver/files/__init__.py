"""Files and CSV text: written whole, read as people write them."""
