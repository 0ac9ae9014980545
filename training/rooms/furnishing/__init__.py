"""Floor plans, their walls, and the furniture in them."""
