"""The demo as a Hugging Face Space."""
