#!/bin/sh
# The main jobs on real input. BIN: where the commands are; OUT: an existing folder for the pictures.
set -eu
ROOT=$(dirname "$0")/..
BANK=$ROOT/taskbank/src/taskbank/banks/rooms/bank.json
PHOTO=$ROOT/cli/taskbank_demo/examples/sitting_room.jpg

plan() {
    printf '\n$ taxsolver %s\n\n' "$*"
    "$BIN/taxsolver" "$@"
}

# One photograph through every task of the bundled bank, on one sheet.
see() {
    if [ ! -f "$BANK" ]; then
        echo "No bank is bundled with this version: no photograph is looked at."
    elif [ ! -x "$BIN/taskbank" ]; then
        echo "taskbank is not installed in $BIN: no photograph is looked at."
    else
        printf '$ taskbank predict %s --tasks all\n\n' "$(basename "$PHOTO")"
        env -u TASKBANK_BANK "$BIN/taskbank" predict "$PHOTO" --tasks all --save png --out "$OUT/predictions" --overwrite
        cp "$OUT/predictions/$(basename "$PHOTO" .jpg)/all_tasks.png" "$OUT/all-tasks.png"
    fi
}

plan --targets all --budget 5 --plot "$OUT/taxonomy.png" --save "$OUT/taxonomy.json"
plan --targets normals,depth,reshading --budget 2 --plot "$OUT/three-targets.png"
plan sweep --budgets 1-10 --orders 4 --band --plot "$OUT/sweep.png"
plan group --setting 1 --budget 2.5 --plot "$OUT/grouping.png"
"$BIN/taxsolver" tree --plot "$OUT/tree.png" > "$OUT/tree.txt"
"$BIN/taxsolver" affinity show --plot "$OUT/affinity.png" --map "$OUT/task-map.png" > "$OUT/affinity.txt"

printf '\n'
see
printf '\nThe pictures are in %s:\n' "$OUT"
ls "$OUT"
