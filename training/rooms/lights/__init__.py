"""Light on surfaces and how it reaches cameras."""
