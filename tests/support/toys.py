"""Tensors small enough to be solved by hand."""

from __future__ import annotations

from typing import Any

from taxsolver.planning.problem import Problem
from taxsolver.tensors.affinity import AffinityTensor
from taxsolver.tensors.affinity_csv import tensor_from_csv

# Three targets a, b, c; s is a source only. With budget 1, s serves a .2, b .3, c .4 = .9; a serves itself
# .5, b .1, c .1 = .7; b serves a .1, itself .6, c .1 = .8. With budget 2, s and b: .2 + .6 + .4 = 1.2, but
# the pair (a, s) lifts c to .9: .5 + .3 + .9 = 1.7.
TOY = """\
target,sources,affinity,gain,quality,full_supervision
a,a,0.5,0.9,0.5,true
a,a,0.3,0.2,0.1,false
a,b,0.1,0.3,0.2,false
a,s,0.2,0.4,0.3,false
b,b,0.6,0.9,0.5,true
b,a,0.1,0.1,0.1,false
b,s,0.3,0.8,0.4,false
c,a,0.1,0.2,0.1,false
c,b,0.1,0.3,0.1,false
c,s,0.4,0.5,0.2,false
c,a|s,0.9,0.6,0.3,false
c,c|s,1.0,0.9,0.9,false
"""


def toy(**header: Any) -> AffinityTensor:
    """The tensor above; it has no fully supervised network of c."""
    return tensor_from_csv(TOY, name="toy", **header)


def triangle() -> Problem:
    """Three targets, each as well served by two of three sources: the relaxation takes half of each."""
    rows = ["x,a,1", "x,b,1", "x,c,0", "y,b,1", "y,c,1", "y,a,0", "z,a,1", "z,c,1", "z,b,0"]
    tensor = tensor_from_csv("target,sources,gain\n" + "\n".join(rows), name="triangle")
    costs = {"a": 2, "b": 2, "c": 2, "x": 3}  # in whole units of 1 there is room for one and a half
    return Problem.of(tensor, budget=3, objective="gain", label_cost=costs)
