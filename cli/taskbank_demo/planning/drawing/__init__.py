"""Pictures of plans, drawn as SVG for the page."""
