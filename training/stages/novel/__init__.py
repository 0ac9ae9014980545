"""Stage 5: transfers to a user's own task, from a few hundred labelled photographs."""
