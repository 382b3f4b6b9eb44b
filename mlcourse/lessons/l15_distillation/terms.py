"""The terms that lesson 15 introduces, a sentence each, their Chinese names, and its symbols; the
glossary and the notation page are made of them."""

TERMS = {
    "distillation":
        "Training one network, the student, to give the answers of another, the teacher, usually its soft targets.",
    "teacher": "The trained network, held fixed, whose answers a student learns.",
    "student": "The network that learns from a teacher's answers; it is often much smaller.",
    "soft target":
        "The probabilities that a teacher gives to all classes of one input, learned from in place of a label.",
    "pseudo-label": "A model's first choice for an unlabelled sample, used as if it were the label.",
    "transfer set": "The samples on which a student learns from its teacher; they need no labels.",
    "bias shift": "Adding a constant to one class's logit, to bring back a class that training never showed.",
}

CHINESE = {
    "distillation": "知识蒸馏", "teacher": "教师网络", "student": "学生网络", "soft target": "软目标",
    "pseudo-label": "伪标签",
    "transfer set": "迁移集", "bias shift": "偏置平移",
}

SYMBOLS = {
    "$v$, $z$": ("`v`, `z`", "the logits of the teacher and of the student"),
    "$p$, $q$": ("", "the probabilities that the teacher and the student give the classes"),
}
