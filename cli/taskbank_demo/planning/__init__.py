"""Computing and drawing for the Planner tab, without gradio: plain functions that its handlers call."""
