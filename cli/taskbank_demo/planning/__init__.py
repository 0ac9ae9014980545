"""What the Planner tab computes and draws, without gradio: plain functions that its handlers call."""
