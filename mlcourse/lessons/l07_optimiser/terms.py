"""The terms that lesson 07 introduces, a sentence each, their Chinese names, and its symbols; the glossary and the
notation page are made of them."""

TERMS = {
    "condition number": "The largest curvature of a function over its smallest; the larger it is, the more steps "
                        "gradient descent needs.",
    "momentum": "A step that follows the sum of all gradients so far, each step back weighing β times as much.",
    "learned optimiser": "A network that sees gradients and answers with steps; it is trained on many functions so "
                         "that their losses fall fast.",
    "LSTM": "A recurrent cell whose memory is kept, erased and written through gates; here it remembers the gradients "
            "of one coordinate.",
    "unrolling": "Keeping the graph of several steps of an optimiser, so that the losses along them can be "
                 "differentiated by what made the steps.",
    "truncation": "Cutting a long unrolling into stretches: values are carried on from one to the next, gradients are "
                  "not.",
    "horizon": "The number of steps over which an optimiser is trained or judged.",
    "hypergradient": "The derivative of a loss by a setting of the training, such as its rate.",
}

CHINESE = {
    "condition number": "条件数", "momentum": "动量", "learned optimiser": "学习得到的优化器", "LSTM": "长短期记忆网络",
    "unrolling": "展开", "truncation": "截断", "horizon": "步数范围", "hypergradient": "超梯度",
}

SYMBOLS = {
    r"$\kappa$": ("`condition`", "the condition number, the largest curvature over the smallest"),
    r"$m_\theta$, $u_t$, $h_t$":
        ("`m`, `u`, `state`", r"the learned optimiser with its weights $\theta$; its update and its memory after step "
         "$t$"),
    r"$\beta$, $v$": ("", "how much momentum keeps, and what it follows, the sum of past gradients"),
    "$A$, $b$": ("", "the matrix and the vector that make a function of the family"),
    r"$c_t$, $\sigma$": ("", "weights as the memory of an LSTM, and the logistic function of its gates"),
}
