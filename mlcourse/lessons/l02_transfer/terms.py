"""The terms that lesson 02 introduces, a sentence each, and their Chinese names; the glossary is made of them."""

TERMS = {
    "freezing": "Keeping parts of a trained network as they are, norm statistics included, while the parts above them learn.",
    "head": "The last layer of a network, which makes the outputs of a task from features; what lies below is the body.",
    "crossover": "The number of labelled target samples from which on a source no longer helps.",
    "LP-FT": "Linear probing, then fine-tuning: the head is fitted on frozen features first, and only then everything moves.",
    "negative transfer gap": "The error with a source less the error without it, the same algorithm on both sides; positive "
                             "where the source hurts.",
}

CHINESE = {
    "freezing": "冻结", "head": "输出头", "crossover": "交叉点", "LP-FT": "先线性探测后微调",
    "negative transfer gap": "负迁移差距",
}
