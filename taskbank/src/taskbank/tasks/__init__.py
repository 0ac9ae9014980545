"""The 26 tasks of Taskonomy: their names, facts and kinds."""

from taskbank.tasks.registry import TASKS, Task, find_task

__all__ = ["TASKS", "Task", "find_task"]
