"""The terms that lesson 13 introduces, a sentence each, their Chinese names, and its symbols; the
glossary and the notation page are made of them."""

TERMS = {
    "unsupervised domain adaptation":
        "Learning a task for a target domain from labelled samples of a source domain and unlabelled samples of the "
        "target.",
    "AdaBN":
        "Adaptive batch normalisation: it keeps every weight and takes the means and variances from the target's "
        "samples.",
    "CORAL":
        "Correlation alignment: here a loss term, Deep CORAL's, the squared distance between the covariance matrices "
        "of source features and target features.",
    "DANN":
        "Domain-adversarial neural network: its features learn to classify the source and to fool a discriminator "
        "of the two domains.",
    "reversed gradient":
        "The work of a layer that passes values on unchanged and multiplies the gradient by a negative number on its "
        "way back.",
    "SHOT":
        "Source hypothesis transfer: the classifier's last layer stays, and the features move until its answers on "
        "the target are sure and spread over all classes.",
    "MLDG":
        "Meta-learning for domain generalisation: a gradient step on one source domain must lower the loss on "
        "another one too.",
    "label distance": "The total variation distance between the class proportions of source and target.",
    "BBSE":
        "Black box shift estimation: the target's class shares from a classifier's answers there and its confusion "
        "in the source.",
    "entropy":
        "How even a distribution p is, -Σ p log p: 0 where one outcome is certain, log N where N outcomes are "
        "equally likely.",
    "mutual information":
        "How much a picture tells about its predicted class: the entropy of the mean prediction less the mean "
        "entropy of the predictions.",
}

CHINESE = {
    "unsupervised domain adaptation": "无监督域适应", "AdaBN": "自适应批归一化",
    "CORAL": "相关性对齐", "DANN": "域对抗神经网络", "reversed gradient": "梯度反转", "SHOT": "源假设迁移", "MLDG": "面向域泛化的元学习",
    "label distance": "标签分布距离", "BBSE": "黑箱偏移估计", "entropy": "熵", "mutual information": "互信息",
}

SYMBOLS = {
    r"$\mu$": ("", "a mean, of a channel or of features"),
    r"$C_{\text{src}}$, $C_{\text{tgt}}$": ("", "the covariance matrices of the features of source and target"),
    "$d$": ("", "how many features a sample has"),
    r"$\hat Y$": ("", "the predicted label"),
    "$p$, $q$": ("", "probabilities over the classes; as shares of the labels, in the source and in the target"),
    "$w$": ("`w`", "the weights of the labels, $q_j / p_j$"),
    "$R$, $r$": ("`R`, `r`", "how often answer $i$ and label $j$ come together in the source; how often answer $i$ "
                             "comes in the target"),
    r"$\mathbb H(p)$": ("", "the entropy of $p$, in nats"),
    r"$\mathbb I$": ("", "the mutual information of an input and its predicted class, in nats"),
    "$k$": ("`k`", "how many labels of each class of the target one has; in 02 and 14, too"),
}
