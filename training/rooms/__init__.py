"""Rendered rooms: scenes out of a seed, a ray caster, and exact labels of all tasks."""
