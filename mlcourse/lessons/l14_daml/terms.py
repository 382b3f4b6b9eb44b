"""The terms that lesson 14 introduces, a sentence each, their Chinese names, and its symbols; the
glossary and the notation page are made of them."""

TERMS = {
    "hinge loss":
        "The discriminator's loss, relu(1 - score) for real and relu(1 + score) for generated pictures: what lies "
        "beyond the margin costs nothing.",
    "spectral norm":
        "The largest singular value of a matrix; dividing kernels by it limits how fast the discriminator's scores "
        "can change.",
    "differentiable augmentation":
        "Random changes that let gradients through, made to real and generated pictures alike before the "
        "discriminator sees them.",
    "feature matching":
        "A loss of the generator: its pictures shall have, on average, the features that real ones have inside the "
        "discriminator.",
    "collapse":
        "The failure, also called mode collapse, of a generator that ignores its noise or makes only a few "
        "different pictures.",
    "mode seeking": "A loss of the generator that rewards different outputs for different noise, against collapse.",
    "label fidelity":
        "The share of generated pictures whose intended label is also given by a judge that was trained on labels "
        "of the target.",
    "memorisation": "The failure of a generator that repeats its training pictures in place of making new ones.",
    "oracle":
        "An arm of a study that is given what no method may have, such as all labels of the target, to show what "
        "could be reached.",
}

CHINESE = {
    "hinge loss": "合页损失", "spectral norm": "谱范数",
    "differentiable augmentation": "可微数据增强", "feature matching": "特征匹配", "collapse": "模式崩塌",
    "mode seeking": "模式寻求", "label fidelity": "标签保真度",
    "memorisation": "记忆训练样本", "oracle": "理想参照",
}

SYMBOLS = {
    r"$G(x, \xi)$": ("`generator`", r"the generator, which redraws $x$ by the noise $\xi$"),
    "$D$": ("`discriminator`", "the discriminator of real and generated pictures"),
    "$f$": ("`net`", "a network as a function: a classifier or an encoder"),
    "$g$": ("", "generated pictures"),
}
