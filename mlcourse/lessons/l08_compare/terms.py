"""The terms and symbols that lesson 08 introduces, a sentence each, and their Chinese names; the glossary and the
notation page are made of them."""

TERMS = {
    "prototype": "The mean of the features of a class's support samples.",
    "metric": "A rule that says how far two vectors lie apart, such as squared Euclidean distance.",
    "temperature":
        "The number by which logits or similarities are divided before a softmax; the higher it is, the more even the "
        "probabilities.",
    "cosine": "The inner product of two vectors that are scaled to length 1; it lies between -1 and 1.",
    "attention":
        "Shares of several samples, a softmax over how alike each is to a query; the answer is their labels, "
        "weighted by the shares.",
    "matching network":
        "A network, trained on episodes, that answers with the support samples' labels, weighted by attention.",
    "relation network":
        "A network, trained on episodes, whose second part scores each pair of class and query from both feature maps.",
    "NCA":
        "Neighbourhood components analysis: every sample of a batch shall find its own class among its nearest, by a "
        "softmax over squared distances to all others.",
}

CHINESE = {
    "prototype": "原型", "metric": "度量", "temperature": "温度", "cosine": "余弦相似度", "attention": "注意力",
    "matching network": "匹配网络", "relation network": "关系网络", "NCA": "邻域成分分析",
}

SYMBOLS = {
    r"$c_n$": ("`c`", "the prototype of class $n$, the mean of its support samples' features $f(x)$"),
    r"$\tau$":
        ("`temperature`, `tau`", "the temperature, by which logits or similarities are divided before a softmax"),
    "$b$": ("`b`", "the offsets of a head, one for each class"),
}
