"""The terms that lesson 03 introduces, a sentence each; docs/glossary.md is made of them."""

TERMS = {
    "MAML":
        "Model-agnostic meta-learning: it learns an initialisation from which one or a few gradient steps on a "
        "support set lead to a low query loss.",
    "inner loop": "The loop that adapts what all tasks share to one task, on its support set.",
    "outer loop":
        "The loop over many tasks that trains what all of them share, such as the initialisation of the inner loop.",
    "inner rate": "The step size α of the inner loop.",
    "query loss":
        "The loss on the query set of a task; the outer loop of MAML descends its value after the inner loop.",
    "meta-gradient":
        "The gradient of the query loss after adaptation with respect to what the outer loop trains, taken through "
        "the inner steps.",
    "second order":
        "Said of a meta-gradient that contains the derivative of the inner step, and with it second derivatives of "
        "the support loss.",
    "first order":
        "Said of an approximate meta-gradient that treats the gradient in the inner step as a constant, and so "
        "drops the second derivatives.",
    "FOMAML": "First-order MAML: its meta-gradient is the gradient of the query loss at the adapted parameters.",
    "delta method":
        "A way to an interval for a function of means, such as a ratio: the function is replaced by its tangent, which "
        "is a mean of one number a sample.",
    "joint training":
        "Training one network on the samples of all tasks together, with no adaptation inside; it is the baseline "
        "that MAML is compared with.",
    "fine-tuning": "Training a trained network further, on the few samples of a new task or domain.",
    "negative transfer": "Transfer that hurts: what was carried over leads to a worse result than starting without it.",
}
