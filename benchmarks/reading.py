"""Count what a reader of the sources meets: sizes, folders, definitions, helpers, examples.

python -m benchmarks.reading [CHECKOUT]`.
"""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path
from statistics import median

from training.arguments import ScriptParser

PARTS = {
    "taxsolver": ("taxsolver/src", "cli/taxsolver_cli"),
    "taskbank": ("taskbank/src", "cli/taskbank_cli"),
    "training": ("training",),
    "demo": ("cli/taskbank_demo",),
}
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def counts(folders: list[Path]) -> dict[str, str]:
    """One column of the table.

    Args:
        folders: whose Python files are counted together.
    """
    files = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    texts = {path: path.read_text(encoding="utf-8") for path in files}
    trees = {path: ast.parse(text) for path, text in texts.items()}
    lines = [text.count("\n") for text in texts.values()]
    public, functions, documented, examples = 0, 0, 0, 0
    called_once = 0
    for tree in trees.values():
        names = Counter(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
        names.update(node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute))
        for node in tree.body:
            if not isinstance(node, _Definition):
                continue
            functions += not isinstance(node, ast.ClassDef)
            if not node.name.startswith("_"):
                public += 1
                docstring = ast.get_docstring(node)
                documented += docstring is not None
                examples += docstring is not None and ">>>" in docstring
            elif isinstance(node, ast.FunctionDef) and not node.name.startswith("__"):
                called_once += names[node.name] == 1
    thousand = sum(lines) / 1000
    return {
        "files": str(len(files)),
        "lines (thousand)": f"{thousand:.1f}",
        "file, median / max": f"{median(lines):.0f}/{max(lines)}",
        "most files in one folder": str(max(Counter(path.parent for path in files).values())),
        "public definitions per 1,000 lines": f"{public / thousand:.0f}",
        "functions that are private and called once": f"{called_once / max(1, functions):.0%}",
        "docstrings with an example": f"{examples}/{documented}",
    }


def main() -> None:
    """Print the table of a checkout."""
    parser = ScriptParser(description=__doc__)
    parser.add_argument("checkout", nargs="?", type=Path, default=Path(__file__).parents[1])
    checkout = parser.parse_args().checkout
    columns = {name: counts([checkout / folder for folder in folders]) for name, folders in PARTS.items()}
    print("| | " + " | ".join(columns) + " |")
    print("|---|" + "---|" * len(columns))
    for row in next(iter(columns.values())):
        print(f"| {row} | " + " | ".join(column[row] for column in columns.values()) + " |")


if __name__ == "__main__":
    main()
