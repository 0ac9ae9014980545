"""The Planner tab: gradio components for the results of `planning`."""
