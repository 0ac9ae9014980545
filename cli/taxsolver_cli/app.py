"""The command `taxsolver`, assembled from its subcommands."""

from __future__ import annotations

import typer

from taxsolver_cli import (
    affinity,
    ahp,
    chain,
    compare,
    front,
    group,
    plan,
    rank,
    significance,
    stability,
    sweep,
    tree,
)
from taxsolver_cli.errors import Boundary
from taxsolver_cli.once import Command

app = typer.Typer(
    cls=Boundary,
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.callback(invoke_without_command=True, help=plan.HELP)(plan.plan)
app.command("sweep", cls=Command, help=sweep.HELP, short_help=sweep.SHORT)(sweep.sweep_command)
app.command("chain", cls=Command, help=chain.HELP, short_help=chain.SHORT)(chain.chain_command)
app.command("front", cls=Command, help=front.HELP, short_help=front.SHORT)(front.front_command)
app.command("significance", cls=Command, help=significance.HELP, short_help=significance.SHORT)(
    significance.significance_command
)
app.command("stability", cls=Command, help=stability.HELP, short_help=stability.SHORT)(
    stability.stability_command
)
app.command("rank", cls=Command, help=rank.HELP, short_help=rank.SHORT)(rank.rank_command)
app.command("tree", cls=Command, help=tree.HELP, short_help=tree.SHORT)(tree.tree_command)
app.command("group", cls=Command, help=group.HELP, short_help=group.SHORT)(group.group_command)
app.command("ahp", cls=Command, help=ahp.HELP, short_help=ahp.SHORT)(ahp.ahp_command)
app.command("compare", cls=Command, help=compare.HELP, short_help=compare.SHORT)(compare.compare_command)
app.add_typer(affinity.app, name="affinity", help=affinity.HELP)
