"""The terms and symbols that lesson 10 introduces, a sentence each, and their Chinese names; the glossary and the
notation page are made of them."""

TERMS = {
    "generator": "A network that makes samples from noise, often beside something that says of which kind.",
    "view": "A randomly changed copy of a sample that still shows the same thing.",
    "encoder": "A network that maps an input to a vector of features, or to a distribution over such vectors.",
    "decoder": "A network that maps numbers back to an input, or to a distribution over inputs.",
    "VAE":
        "Variational autoencoder: encoder and decoder, trained together up a bound on the logarithm of the data's "
        "probability.",
    "set VAE":
        "A VAE of sets of samples of one class, with one context for the set and further numbers for each sample.",
    "context": "What a set VAE makes of a whole set: numbers that say which class it shows.",
    "prior": "The distribution of hidden numbers before a sample is seen; it may be learned.",
    "reparameterisation":
        "Writing a random draw as a smooth function of a distribution's parameters and of noise from outside, so that "
        "gradients pass.",
    "Kullback–Leibler divergence":
        "How far a distribution q lies from p: the mean under q of log(q / p), 0 only where they are equal.",
    "nat": "The unit of information and of entropy where logarithms are natural, 1.44 bits.",
    "manifold mixup":
        "Training on mixtures of two samples' features in a random layer, with their labels mixed in the same shares.",
    "data-processing inequality":
        "Whatever is computed from data, with noise or without, holds no more about a label than the data did.",
}

CHINESE = {
    "generator": "生成器", "view": "视图", "encoder": "编码器", "decoder": "解码器", "VAE": "变分自编码器",
    "set VAE": "集合变分自编码器", "context": "上下文变量", "prior": "先验分布", "reparameterisation": "重参数化",
    "Kullback–Leibler divergence": "KL 散度", "nat": "奈特", "manifold mixup": "流形混合",
    "data-processing inequality": "数据处理不等式",
}

SYMBOLS = {
    r"$q(c\mid S)$, $q(z\mid x, c)$":
        ("`context`, `posterior`", "the encoder's distributions, for a set and for one picture"),
    r"$p(z\mid c)$": ("`prior`", "the learned prior"),
    r"$\xi$": ("`xi`, `noise`", "standard normal noise"),
    "$c$, $z$": ("`c`, `z`", "the numbers behind a class, and behind a picture"),
}
