"""The terms that lesson 02 introduces, a sentence each, their Chinese names, and its symbols; the glossary and the
notation page are made of them."""

TERMS = {
    "head": "The last layer of a network, which makes the outputs of a task from features; what lies below is the "
            "body.",
    "freezing":
        "Keeping a part of a trained network as it is, norm statistics included, while what is above it learns.",
    "ridge regression": "Linear regression whose squared weights count in the loss, times λ; its solution is a "
                        "formula.",
    "scratch": "Training from random weights on the target's labels alone, with no source.",
    "crossover":
        "The number of labelled target samples of each class from which on a source is no longer told to help.",
    "arm": "One of the ways to train and to test that a study compares.",
    "linear probe": "A linear classifier trained on frozen features, to measure what can be read from them.",
    "fine-tuning": "Training a trained network further, on the few samples of a new task or domain.",
    "LP-FT":
        "Linear probing, then fine-tuning: the head is fitted on frozen features first, and only then everything "
        "moves.",
    "joint training": "Training one network on the samples of all tasks or domains together, with no adaptation "
                      "inside.",
    "negative transfer": "Transfer that hurts: what was carried over leads to a worse result than starting without it.",
    "negative transfer gap":
        "The error with a source less the error without it, the same algorithm on both sides; above 0 the source "
        "hurts.",
    "Holm":
        "Said of p-values of several tests, raised so that one below 0.05 is a false alarm in at most one family in "
        "twenty.",
}

CHINESE = {
    "head": "输出头", "freezing": "冻结", "ridge regression": "岭回归", "scratch": "从零训练", "crossover": "交叉点",
    "arm": "实验臂", "linear probe": "线性探测",
    "fine-tuning": "微调", "LP-FT": "先线性探测后微调", "joint training": "联合训练", "negative transfer": "负迁移",
    "negative transfer gap": "负迁移差距", "Holm": "霍尔姆校正",
}

SYMBOLS = {
    r"$\lambda$": ("", "the weight of a second term in a loss; in mixup the first one's share"),
    "$Z$, $Y$":
        ("`Z`, `Y`", "features and one-hot labels of labelled pictures, a row for each, less their means"),
    "$W$": ("`W`", "the weights of a head, a row for each feature and a column for each class"),
    "$M$": ("", "how many labelled pictures there are"),
}
