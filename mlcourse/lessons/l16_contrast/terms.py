"""The terms that lesson 16 introduces, a sentence each, their Chinese names, and its symbols; the
glossary and the notation page are made of them."""

TERMS = {
    "contrastive learning":
        "Learning features in which the two sides of a pair lie close together, and strangers far apart.",
    "positive pair": "Two samples that are declared to show the same thing, such as two views of one picture.",
    "in-batch negatives":
        "The other samples of the same batch, which compete with the true partner in a contrastive loss.",
    "InfoNCE":
        "The cross-entropy of picking a sample's partner among all candidates of the batch, by a softmax over "
        "similarities divided by a temperature.",
    "SimCLR": "Contrastive learning without labels, in which two views of one picture are a pair.",
    "NT-Xent":
        "SimCLR's loss: InfoNCE in which each view looks for its partner among all other views of the batch, never "
        "itself.",
    "projection head": "A small network between encoder and contrastive loss that is thrown away after training.",
    "SupCon": "Supervised contrastive learning: every sample of the same class in the batch is a partner.",
    "common space":
        "The vector space into which two encoders map two domains or modalities, so that partners lie close "
        "together.",
    "retrieval at 1": "The share of queries for which the true partner comes first among all candidates.",
}

CHINESE = {
    "contrastive learning": "对比学习", "positive pair": "正样本对", "in-batch negatives": "批内负样本",
    "InfoNCE": "InfoNCE 损失", "SimCLR": "SimCLR 对比学习", "NT-Xent": "归一化温度交叉熵",
    "projection head": "投影头", "SupCon": "监督对比学习", "common space": "公共空间",
    "retrieval at 1": "首位检索率",
}

SYMBOLS = {
    "$a_i$, $b_i$": ("", "the two sides of pair $i$ in the common space"),
    "$s_{ij}$": ("", "the cosine of the angle between $a_i$ and $b_j$"),
    "$v_i$, $w_i$": ("", "two views of picture $i$"),
    "$h$, $z$": ("", "the features of a view, and their projection"),
    "$f$, $g$": ("", "the encoders of the two sides of a pair"),
    "$M$": ("", "how many pictures a step draws"),
}
