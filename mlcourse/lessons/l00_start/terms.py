"""The terms that lesson 00 introduces, a sentence each; docs/glossary.md is made of them."""

TERMS = {
    "episode":
        "One small learning problem: a support set to learn from and a query set of the same task to be judged on.",
    "support set": "The labelled samples of an episode from which a method may learn.",
    "query set": "The samples of an episode on which a method is judged; their labels never serve to adapt it.",
    "N-way K-shot": "Said of an episode with N classes and K support samples of each.",
    "nearest neighbour":
        "A classifier that answers with the label of the support sample that lies closest to the query, in pixels "
        "or in features.",
    "prototypical network":
        "A network, trained on episodes, that gives a query to the class whose support samples have the nearest mean "
        "in feature space.",
    "chance": "The accuracy of guessing, 1/N where N classes are equally frequent.",
    "95 % interval":
        "A range computed from measurements such that, when the measurement is repeated, about 95 of 100 such "
        "ranges hold the true value.",
    "domain": "Where inputs come from: a space of inputs together with a probability distribution over it.",
}
