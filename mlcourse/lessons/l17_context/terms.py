"""The terms and symbols that lesson 17 introduces, a sentence each, and their Chinese names; the glossary and the
notation page are made of them."""

TERMS = {
    "in-context learning":
        "Learning a task from the examples in a model's input, while its weights stand still.",
    "prompt": "The examples of a task, written one after another as the input of a model, with the query at the end.",
    "prefix": "The first pairs of a prompt; a prompt of n points has the prefixes of 0, 1, …, n - 1 pairs.",
    "Bayes predictor":
        "The mean of the posterior, whose squared error no method undercuts on average over tasks of the prior; in "
        "lesson 17 ridge regression.",
    "token": "One vector of the sequence that a Transformer reads.",
    "Transformer":
        "A network whose layers let every token read others by attention, and then change each by a small network.",
    "causal mask": "The rule that a token may read itself and those before it, never those after it.",
    "SNAIL": "Simple neural attentive learner: a meta-learner of causal convolutions and causal attention.",
    "linear attention": "Attention without a softmax: values are summed, weighed by inner products as they are.",
    "CAML": "Context-aware meta-learning: a Transformer over frozen features of the support set and one query.",
    "CNP":
        "Conditional neural process: a network reads each support sample, and the mean of what it reads is all that a "
        "query learns of the task.",
    "prior-fitted network":
        "A network trained on tasks drawn from a prior, so that one pass over a labelled set approximates the "
        "posterior's prediction.",
    "GRU":
        "Gated recurrent unit: a network that reads a sequence step by step into one state, whose gates say how much "
        "of it is kept.",
    "padding": "What fills up sequences to one length, and must not change what is read of them.",
}

CHINESE = {
    "in-context learning": "上下文学习", "prompt": "提示", "prefix": "前缀", "Bayes predictor": "贝叶斯预测器",
    "token": "词元", "Transformer": "Transformer 网络", "causal mask": "因果掩码", "SNAIL": "简单神经注意力学习器",
    "linear attention": "线性注意力", "CAML": "上下文感知元学习", "CNP": "条件神经过程",
    "prior-fitted network": "先验拟合网络", "GRU": "门控循环单元", "padding": "填充",
}

SYMBOLS = {
    "$M$, $n$": ("", "how many pairs a prompt has before its query, and how many points in all"),
    r"$w_*$, $\hat w$": ("`w`", "the weights of a linear task, and an estimate of them"),
    "$x_q$": ("`query`", "the input that is asked about"),
    "$B$": ("", "the one matrix that matters in a layer of linear attention"),
}
