"""The terms that lesson 14 introduces, a sentence each; docs/glossary.md is made of them."""

TERMS = {
    "generator":
        "A network that makes samples from noise; here it redraws a labelled source picture in the manner of the "
        "target.",
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
    "acceptance":
        "The share of generated pictures whose intended label is also given by the classifier that was trained "
        "along with the generator.",
    "two-sample test":
        "A test of whether two samples come from one distribution, here by dealing their members anew at random "
        "many times.",
    "memorisation": "The failure of a generator that repeats its training pictures in place of making new ones.",
    "oracle":
        "An arm of a study that is given what no method may have, such as all labels of the target, to show what "
        "could be reached.",
}
