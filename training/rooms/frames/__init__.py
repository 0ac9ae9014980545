"""Rendered frames with the labels of all domains, and stores of them."""
