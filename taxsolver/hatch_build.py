"""Take the command-line app from ../cli into the wheel and the sdist."""

from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CliFromRepository(BuildHookInterface):
    """Adds cli/taxsolver_cli, which lies outside this project's folder, to what is built."""

    def initialize(self, version, build_data):
        """Called by hatchling before each build; `version` is the kind of build."""
        if version == "editable" or Path(self.root, "src/taxsolver_cli").is_dir():
            return  # dev-mode-dirs serves a checkout; an unpacked sdist has its own copy
        inside = "src/taxsolver_cli" if self.target_name == "sdist" else "taxsolver_cli"
        build_data["force_include"]["../cli/taxsolver_cli"] = inside
