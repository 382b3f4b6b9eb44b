"""The terms that lesson 05 introduces, a sentence each, their Chinese names, and its symbols; the
glossary and the notation page are made of them."""

TERMS = {
    "Meta-SGD":
        "MAML that also learns an inner rate for every weight, so that the rates set the length and the direction "
        "of the inner step.",
    "negative rate": "A learned rate below zero, which moves its weight up the gradient of the support loss.",
    "pretraining":
        "Ordinary training on other classes, tasks or domains that comes before meta-learning or adaptation.",
    "meta-transfer":
        "The course's name for three stages: pretraining, Meta-SGD from there, and adaptation to a new task with "
        "the learned rates.",
    "ablation": "An experiment that leaves out one part of a method to measure what that part contributes.",
    "transductive":
        "Said of a method whose answer for one query may depend on the other queries, for instance through batch "
        "statistics.",
}

CHINESE = {
    "Meta-SGD": "元随机梯度下降", "negative rate": "负学习率", "pretraining": "预训练", "meta-transfer": "元迁移",
    "ablation": "消融实验", "transductive": "直推式",
}

SYMBOLS = {
    "$g$": ("`g`", r"the support gradient $\nabla L(\theta; S)$, a vector as long as $\theta$"),
    r"$\circ$": ("`*`", "the product element by element"),
}
