#!/bin/sh
# The main job on real input. BIN: where the commands are; OUT: an existing folder for the pictures.
set -eu

plan() {
    printf '\n$ taxsolver %s\n\n' "$*"
    "$BIN/taxsolver" "$@"
}

plan --targets all --budget 5 --plot "$OUT/taxonomy.png" --save "$OUT/taxonomy.json"
plan --targets normals,depth,reshading --budget 2 --plot "$OUT/three-targets.png"
plan sweep --budgets 1-10 --orders 4 --band --plot "$OUT/sweep.png"
plan group --setting 1 --budget 2.5 --plot "$OUT/grouping.png"
"$BIN/taxsolver" tree --plot "$OUT/tree.png" > "$OUT/tree.txt"
"$BIN/taxsolver" affinity show --plot "$OUT/affinity.png" --map "$OUT/task-map.png" > "$OUT/affinity.txt"

printf '\nThe pictures are in %s:\n' "$OUT"
ls "$OUT"
