"""The terms that lesson 03 introduces, a sentence each, their Chinese names, and its symbols; the
glossary and the notation page are made of them."""

TERMS = {
    "MAML":
        "Model-agnostic meta-learning: it learns an initialisation from which one or a few gradient steps on a "
        "support set lead to a low query loss.",
    "inner loop": "The loop that adapts what all tasks share to one task, on its support set.",
    "outer loop":
        "The loop over many tasks that trains what all of them share, such as the initialisation of the inner loop.",
    "inner rate": "The step size α of the inner loop.",
    "query loss":
        "The loss on the query set of a task; the outer loop of MAML descends its value after the inner loop.",
    "meta-gradient":
        "The gradient of the query loss after adaptation with respect to what the outer loop trains, taken through "
        "the inner steps.",
    "second order":
        "Said of a meta-gradient that contains the derivative of the inner step, and with it second derivatives of "
        "the support loss.",
    "first order":
        "Said of an approximate meta-gradient that treats the gradient in the inner step as a constant, and so "
        "drops the second derivatives.",
    "FOMAML": "First-order MAML: its meta-gradient is the gradient of the query loss at the adapted parameters.",
    "delta method":
        "A way to an interval for a function of means, such as a ratio: the function is replaced by its tangent, which "
        "is a mean of one number a sample.",
}

CHINESE = {
    "MAML": "模型无关元学习", "inner loop": "内循环", "outer loop": "外循环", "inner rate": "内循环学习率",
    "query loss": "查询损失", "meta-gradient": "元梯度", "second order": "二阶", "first order": "一阶",
    "FOMAML": "一阶 MAML", "delta method": "德尔塔方法",
}

SYMBOLS = {
    r"$\theta$": ("`theta`", "the meta-parameters: what the outer loop trains; in MAML the starting point"),
    r"$\varphi_i$": ("`phi`", "the parameters adapted to task $i$"),
    r"$\alpha$": ("`lr` of a learner", r"the inner rate, of the step from $\theta$ to $\varphi_i$"),
    r"$\beta$":
        ("`lr` of a phase",
         r"the outer rate, of the step on $\theta$; in Reptile the share of the way towards $\varphi_i$"),
    "$S_i$, $Q_i$":
        ("`support_x`, `query_x`, …", "the support set and the query set of task $i$, always different samples"),
    r"$L(\theta; S_i)$":
        ("`task_loss`",
         r"the mean loss with parameters $\theta$ over the samples of $S_i$: cross-entropy in nats, or squared "
         "error"),
    r"$F(\theta)$": ("`loss` of a learner", r"the query loss after adaptation, $L(\varphi(\theta); Q)$"),
    "$T$": ("`tasks`", "how many tasks a meta-batch has"),
    "$H_i$, $I$":
        ("`H`, on this page alone", r"the matrix of second derivatives of $L(\theta; S_i)$, and the identity matrix"),
    r"$\varepsilon$, $u$": ("`u`", "the size and the direction of a finite difference"),
    r"$A$, $\psi$, $\omega$":
        ("`amplitude`, `phase`, `omega`",
         r"amplitude, phase and frequency of a sinusoid task, $A\sin(\omega x - \psi)$"),
    "$R$, $a_i$, $b_i$": ("", "the ratio of the means of two errors, and these errors on task $i$"),
    "$d_i$": ("", "in what proportion a little more weight on task $i$ moves their ratio"),
    "$h_1$, $h_2$": ("", "the half-widths of two intervals"),
}
