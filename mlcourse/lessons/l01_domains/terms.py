"""The terms that lesson 01 introduces, a sentence each; docs/glossary.md is made of them."""

TERMS = {
    "task": "What is asked of inputs: a space of answers together with the rule P(y | x) that gives them.",
    "modality": "A kind of input, such as picture or sound; two modalities have different input spaces.",
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
    "floor":
        "The values that a distance takes by chance where there is no shift, found by dealing samples into two sets "
        "at random.",
    "ideal joint error":
        "The smallest sum of source error and target error that a single classifier, of those allowed, can have.",
    "covariate shift": "A change of domain in which P(x) changes and P(y | x) stays.",
    "label shift": "A change of domain in which P(y) changes and P(x | y) stays.",
    "concept shift": "A change of domain in which P(y | x) changes and P(x) stays.",
}
