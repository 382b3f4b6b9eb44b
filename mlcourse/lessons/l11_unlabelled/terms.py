"""The terms and symbols that lesson 11 introduces, a sentence each, and their Chinese names; the glossary and the
notation page are made of them."""

TERMS = {
    "unlabelled pool": "The samples of an episode whose class nobody says, and which are no queries.",
    "semi-supervised": "Said of learning from few labelled and many unlabelled samples together.",
    "soft k-means":
        "Clustering in which every sample is shared out among all centres, and each centre becomes the mean of its "
        "shares.",
    "distractor": "An unlabelled sample of a class that the task does not ask for.",
    "mask": "A number from 0 to 1 for a sample and a class: how much of the sample's share may count.",
    "balanced assignment":
        "Sharing out samples so that every class gets equally many, by scaling rows and columns in turn (Sinkhorn).",
    "Dirichlet distribution":
        "A distribution of proportions that sum to 1; the smaller its concentration, the more uneven they are.",
}

CHINESE = {
    "unlabelled pool": "无标签样本池", "semi-supervised": "半监督", "soft k-means": "软 k 均值", "distractor": "干扰样本",
    "mask": "掩码", "balanced assignment": "均衡分配", "Dirichlet distribution": "狄利克雷分布",
}

SYMBOLS = {
    r"$\pi_{jn}$": ("`share`", "the share of unlabelled sample $j$ that class $n$ gets"),
    r"$m_{jn}$": ("`m`", "the mask: how much of it counts"),
    r"$\tilde d_{jn}$": ("`d`", "the squared distance of $j$ from $c_n$, over the mean of these for $n$"),
}
