"""Stage 6: networks that share an encoder between tasks, and which tasks gain by it.

After Standley et al., "Which Tasks Should Be Learned Together in Multi-task Learning?", ICML 2020
(https://arxiv.org/abs/1905.07553), and Fifty et al., "Efficiently Identifying Task Groupings for Multi-Task
Learning", NeurIPS 2021 (https://arxiv.org/abs/2109.04617).
"""
