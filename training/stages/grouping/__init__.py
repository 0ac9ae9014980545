"""Stage 6: networks whose tasks share an encoder, and the effects of tasks on each other.

After Standley et al., "Which Tasks Should Be Learned Together in Multi-task Learning?", ICML 2020
(https://arxiv.org/abs/1905.07553), and Fifty et al., "Efficiently Identifying Task Groupings for Multi-Task
Learning", NeurIPS 2021 (https://arxiv.org/abs/2109.04617).
"""
