"""The terms that lesson 00 introduces, a sentence each, their Chinese names, and its symbols; the
glossary and the notation page are made of them."""

TERMS = {
    "episode":
        "One small learning problem: a support set to learn from and a query set of the same task to be judged on.",
    "support set": "The labelled samples of an episode from which a method may learn.",
    "query set": "The samples of an episode on which a method is judged; their labels never serve to adapt it.",
    "adapt": "To fit a model to one task from its support set; a step down the gradient of its loss there is one way.",
    "N-way K-shot": "Said of an episode with N classes and K support samples of each.",
    "nearest neighbour":
        "A classifier that answers with the label of the support sample that lies closest to the query, in pixels "
        "or in features.",
    "prototypical network":
        "A network, trained on episodes, that gives a query to the class whose support samples have the nearest mean "
        "in feature space.",
    "chance": "The accuracy of guessing, 1/N where N classes are equally frequent.",
    "95 % interval":
        "A range computed from measurements such that, when the measurement is repeated, about 95 of 100 such "
        "ranges hold the true value.",
    "accuracy": "The share of right answers.",
    "paired difference":
        "The mean of the differences between two methods on the same episodes, tasks or seeds; what these have in "
        "common cancels.",
    "checkpoint": "A file with the weights of a trained network, and a card that says how they were made.",
    "domain": "Where inputs come from: a space of inputs together with a probability distribution over it.",
}

CHINESE = {
    "episode": "情景", "support set": "支持集", "query set": "查询集", "N-way K-shot": "N 类 K 样本", "adapt": "适应",
    "nearest neighbour": "最近邻", "prototypical network": "原型网络", "chance": "随机猜测水平",
    "95 % interval": "95% 置信区间", "accuracy": "准确率", "paired difference": "配对差", "checkpoint": "检查点",
    "domain": "域",
}

SYMBOLS = {
    "$N$, $K$":
        ("`way`, `shot`", "the classes to choose among, and the labelled samples of each: an N-way K-shot episode"),
    "$n$": ("`episodes`", "how many independent values a mean is taken of"),
    "±": ("`ci95`", "half-width of a 95 % interval; the text says of what"),
}
