"""Stage 5: a user's own task, with a few hundred labelled photographs."""
