"""The original networks of 2018 and their conversion into a bank."""
