"""The terms that lesson 06 introduces, a sentence each, and their Chinese names; the glossary is made of them."""

TERMS = {
    "split":
        "A division of classes into those to train on, those to choose on and those to report on, with none in common.",
    "leak": "A way in which training, or a choice, has seen what a score is later reported on.",
    "look-alikes": "Characters of different names that have one shape, such as Latin A and Greek alpha.",
    "batch norm":
        "A layer that subtracts each channel's mean and divides by its deviation, over all samples of the batch; gains "
        "and shifts, which are learned, follow.",
    "layer norm": "A layer that normalises each sample by its own mean and deviation, over all channels at once.",
    "running statistics":
        "Means and variances that batch norm keeps from training batches, to use at test in place of the batch's own.",
    "inductive": "Said of a method that answers a query the same whatever other queries come with it.",
    "reduction": "How a loss joins the losses of single samples to one number: their sum, or their mean.",
    "mutually exclusive":
        "Said of tasks that no single function solves, as where a class has another label in each episode; the support "
        "set is then needed.",
    "selection bias": "The part of the best of several scores that is luck, and does not come again.",
    "RFS":
        "Rethinking few-shot: train a classifier of all training classes, freeze its features, and fit a logistic "
        "regression on each support set.",
    "Baseline++": "Pretraining and a new head for each task, both with cosines in the place of inner products.",
}

CHINESE = {
    "split": "数据划分", "leak": "信息泄漏", "look-alikes": "形近字符", "batch norm": "批归一化",
    "layer norm": "层归一化",
    "running statistics": "滑动统计量", "inductive": "归纳式", "reduction": "损失归约方式", "RFS": "RFS 基线",
    "mutually exclusive": "互斥任务", "selection bias": "选择偏差", "Baseline++": "Baseline++ 基线",
}
