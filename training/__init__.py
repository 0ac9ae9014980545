"""Training of weights and affinity tensors; imports both packages, and neither imports it."""
