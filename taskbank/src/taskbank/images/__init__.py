"""Images: finding, reading, framing and colours."""
