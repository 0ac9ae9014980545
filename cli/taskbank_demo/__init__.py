"""The web demo of taskbank and taxsolver: live predictions, transfers and the planner on one page."""
