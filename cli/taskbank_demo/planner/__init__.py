"""The Planner tab: how gradio shows what `planning` works out."""
