#!/usr/bin/env bash
# All stages, one after another: training/run_all.sh --preset smoke --out out/smoke
# Stopped at any moment and started again with the same words, it goes on. PYTHON names the interpreter.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
export PYTHONPATH="$root:$root/taskbank/src:$root/taxsolver/src${PYTHONPATH:+:$PYTHONPATH}"
training=("${PYTHON:-python3}" -m training)

"${training[@]}" frames "$@"
"${training[@]}" networks "$@"
"${training[@]}" transfers "$@"
"${training[@]}" affinity "$@"
"${training[@]}" taxonomy "$@"
"${training[@]}" grouping "$@"
"${training[@]}" evaluation "$@"
"${training[@]}" published "$@"
