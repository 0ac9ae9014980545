"""Rendered rooms: scenes generated from a seed, a ray caster, and exact labels of all tasks."""
