"""The terms that lesson 04 introduces, a sentence each, their Chinese names, and its symbols; the glossary and the
notation page are made of them."""

TERMS = {
    "Hessian–vector product":
        "The product of the matrix of second derivatives of a loss with a vector, computed as the slope of the "
        "gradient along that vector; the matrix is never formed.",
    "Reptile":
        "It takes a few gradient steps on each task and moves the initialisation a part of the way towards the mean of "
        "the adapted parameters; it needs no query set.",
    "ANIL": "Almost no inner loop: MAML whose inner steps move the last layer only.",
    "NIL":
        "No inner loop: at test no layer moves, and a query gets the class of the support samples whose features are "
        "most like its own.",
    "BOIL": "Body only update in inner loop: MAML whose inner steps move every layer but the last.",
    "iMAML":
        "Implicit MAML: its inner problem pulls the parameters back to the initialisation, and its meta-gradient comes "
        "from where the inner loop ends, not from the path.",
    "conjugate gradient":
        "A way to solve a system of linear equations with a symmetric, positive definite matrix by products of the "
        "matrix with vectors alone.",
    "feature reuse":
        "What happens when the features of an initialisation serve new tasks as they are, so that adapting the last "
        "layer is enough.",
}

CHINESE = {
    "Hessian–vector product": "海森–向量积", "Reptile": "Reptile 算法", "ANIL": "几乎无内循环", "NIL": "无内循环",
    "BOIL": "仅更新主体的内循环", "iMAML": "隐式 MAML", "conjugate gradient": "共轭梯度法", "feature reuse": "特征重用",
}

SYMBOLS = {
    "$k$": ("`steps`", "how many inner steps a task gets"),
    "$u$": ("", r"the query gradient $\nabla L(\varphi; Q)$"),
}
