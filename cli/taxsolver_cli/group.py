SHORT = "x"
HELP = "x"


def group_command() -> None:
    """x"""
