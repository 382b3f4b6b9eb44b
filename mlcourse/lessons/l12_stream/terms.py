"""The terms and symbols that lesson 12 introduces, a sentence each, and their Chinese names; the glossary and the
notation page are made of them."""

TERMS = {
    "task stream": "Tasks that come one after another, the samples of each arriving part by part.",
    "train on everything": "To train one network on all samples of all tasks so far, in one heap.",
    "task buffer": "All samples of all tasks so far, kept apart by task.",
    "follow the leader": "In every round, to use what would have been best for all rounds so far.",
    "samples needed":
        "With how many labelled samples of a task a strategy first reaches the accuracy that was asked for.",
    "censored": "Said of a number that is known only to be larger than another, since nobody watched on.",
    "forgetting": "How far the accuracy for a task lies below the best that it has been in earlier rounds.",
    "random features": "A fixed, random, nonlinear map of the inputs, on which only a linear head is fitted.",
}

CHINESE = {
    "task stream": "任务流", "train on everything": "全部数据训练", "task buffer": "任务缓冲区",
    "follow the leader": "跟随领先者", "samples needed": "所需样本数", "censored": "删失", "forgetting": "遗忘",
    "random features": "随机特征",
}

SYMBOLS = {
    r"$t$": ("`t`", "the round of a stream, and the task that it brings"),
    r"$B_i$": ("`buffer[i]`", "the samples of task $i$ of a stream that have arrived"),
}
