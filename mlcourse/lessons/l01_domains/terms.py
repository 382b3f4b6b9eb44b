"""The terms that lesson 01 introduces, a sentence each, their Chinese names, and its symbols; the
glossary and the notation page are made of them."""

TERMS = {
    "task": "What is asked of inputs: a space of answers together with the rule P(y | x) that gives them.",
    "source": "The domain whose labelled samples a method learns from.",
    "target": "The domain that a method is judged on; few of its samples are labelled, or none.",
    "features": "The numbers that a network makes of an input and that its last layer reads.",
    "transfer learning": "Using what was learned for one task, in one domain or modality, for another.",
    "domain adaptation":
        "Cross-domain transfer to a target of which unlabelled samples, or a few labelled ones, are at hand.",
    "modality": "A kind of input, such as picture or sound; two modalities often have different input spaces.",
    "cross-task": "Said of transfer where inputs of the same domain are asked another question.",
    "cross-domain": "Said of transfer where the question stays and the inputs follow another distribution.",
    "cross-modal":
        "Said of transfer where the inputs are of another kind, such as a sensor's readings in place of a picture.",
    "domain generalisation":
        "Learning, from one or several source domains, a task for a target domain of which no sample is seen in "
        "training.",
    "discriminator":
        "A classifier that is trained to tell two sets of samples apart: two domains, or real samples and generated "
        "ones.",
    "proxy A-distance (PAD)":
        "A distance of two domains, 2 (1 - 2 err), from a discriminator's error on samples it has not seen: 0 where "
        "it guesses, 2 where it never errs.",
    "maximum mean discrepancy (MMD)":
        "A distance of two distributions from the means of a kernel: within the samples of each, and across the "
        "two.",
    "paired interval": "The 95 % interval of a paired difference.",
    "floor":
        "The values that a distance takes by chance where there is no shift, found by dealing samples into two sets "
        "at random.",
    "ideal joint error":
        "The smallest sum of source error and target error that a single classifier, of those allowed, can have.",
    "covariate shift": "A change of domain in which P(x) changes and P(y | x) stays.",
    "label shift": "A change of domain in which P(y) changes and P(x | y) stays.",
    "concept shift": "A change of the rule, so of the task in Pan and Yang's sense: P(y | x) changes, P(x) stays.",
    "frame":
        "Where the ink of a picture stands in it; digits have theirs in a box of 20×20 pixels, centred by its mass in "
        "28×28, unless a lesson says otherwise.",
    "importance weight":
        "How much more often a target has an input than a source, P(x) there over P(x) here; source samples so "
        "weighted stand for the target's.",
}

CHINESE = {
    "task": "任务", "modality": "模态", "cross-task": "跨任务", "cross-domain": "跨域", "cross-modal": "跨模态",
    "domain generalisation": "域泛化", "discriminator": "判别器", "proxy A-distance (PAD)": "代理 A 距离",
    "maximum mean discrepancy (MMD)": "最大均值差异", "floor": "随机本底", "ideal joint error": "理想联合误差",
    "covariate shift": "协变量偏移", "label shift": "标签偏移", "concept shift": "概念偏移", "frame": "图像框架",
    "importance weight": "重要性权重", "source": "源域", "target": "目标域", "features": "特征", "transfer learning": "迁移学习",
    "domain adaptation": "域适应", "paired interval": "配对区间",
}

SYMBOLS = {
    r"$P(x)$, $P(y\mid x)$": ("", "the distribution of the inputs, and of the labels given the input"),
    r"$\mathcal H$, $h$": ("", "a set of classifiers, and one of them"),
    r"$e_{\text{src}}(h)$, $e_{\text{tgt}}(h)$":
        ("`1 - accuracy`", "the error of $h$ in the source domain and in the target domain"),
    "$e^*$":
        ("",
         r"the ideal joint error, the least $e_{\text{src}}(h) + e_{\text{tgt}}(h)$ that an $h$ in $\mathcal H$ "
         "has"),
    r"$d_{\mathcal H\Delta\mathcal H}$":
        ("",
         r"the distance of two domains in the bound: twice the most by which two classifiers of $\mathcal H$ can "
         "disagree more often in one than in the other"),
    "$w(x)$":
        ("`importance_weights`", "the importance weight of an input, its density in the target over that at home"),
    "PAD": ("`proxy_a_distance`", "the proxy A-distance of two domains, computed from samples"),
    "MMD": ("`mmd`", "the maximum mean discrepancy of two domains, computed from samples"),
    r"$\kappa(x, x')$": ("", "a kernel: how alike two inputs are"),
    r"$\sigma$": ("", "a standard deviation; of a Gaussian kernel, its width"),
    r"$\rho$":
        ("`severity`", "the severity of a shift, from 0 to 1; of an inversion, the share of samples that it reaches"),
    "$t$": ("", "Student's factor, in the place of 1.96 for few values"),
}
