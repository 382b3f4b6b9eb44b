EXTRA = {"@@PIPELINE@@": r'''
Read the table stage by stage.

- **Adapting** is indispensable by construction: labels are dealt anew in every episode, so without a step every answer is a guess.
- **Meta-SGD** pulls its weight. Pretraining with fine-tuning (ten steps of a rate chosen on validation, with a new head) stays behind on all three targets: by 11 to 13 points on drawn characters, by about 3 on digits.
- **Pretraining does not, here.** The same 300 outer steps are worth about 4 points more on new scripts and on Omniglot when they are spent on Meta-SGD. And 300 steps of Meta-SGD *alone* are about as good as the whole pipeline: the pretraining before them left no trace that five seeds could show.
- **Learned rates do not either, here.** With one rate for all weights, chosen among four on validation scripts, the pipeline is as good on drawn characters and, by 1 to 2 points, better on digits. On sinusoids learned rates halved the error.

That is the second surprise, and a lesson about pipelines: two of three stages that sound indispensable can be left out of *this* setting. It is a statement about a small network, 1,316 classes of 20 pictures each, 600 outer steps, and this schedule, no more. Sun et al. work with a deeper network that is hard to train from episodes alone; there pretraining is the point. And the rates of the image network began between 0.5 and 2 and moved little in 300 or 600 steps: next to none became negative. Whether many more steps would change that, we have not measured.

**And the domain?** On the digits the arms stand closer together. The random start with ten steps, nowhere on characters, is some 11 points below the best; pretraining that was worth 18 points on new scripts against the random start is worth 5 on the digits. What was learned on the source is worth less on the target, and the more of it is *features*, the more it loses. Five steps instead of one help every arm on the digits, by 1 to 4 points: away from home, adapt more.
''', "@@WRAP@@": r'''
## 10 Wrap-up (2 min)

You can now write Meta-SGD from its equation, derive the gradient of a rate, tell by its error what is wrong with an update, and take a pipeline apart.

Three sentences. MAML has one rate and bends θ until one tensor does the adapting; on sinusoids learned rates halve its error, and six of them give most of that. About a third of the rates turn negative, as corrections of what the other weights do, and a training that forbids them does about as well. In the pipeline from glyphs to digits it was meta-training that paid, and neither the pretraining before it nor the learned rates in it.

**For lesson 06 (on its way):** the image results here are *transductive*: batch norm looks at all queries of an episode together. How much of an accuracy is that worth?

**New terms:** learned rates, negative rate, first order in θ and exact in α, meta-transfer, ablation (leaving a part out), paired difference.

### References

- Z. Li, F. Zhou, F. Chen, H. Li: Meta-SGD: Learning to Learn Quickly for Few-Shot Learning. arXiv 1707.09835, 2017. Equation 2 and Algorithm 1.
- Q. Sun, Y. Liu, T.-S. Chua, B. Schiele: Meta-Transfer Learning for Few-Shot Learning. CVPR 2019.
- A. Antoniou, H. Edwards, A. Storkey: How to Train Your MAML. ICLR 2019. On rates for each layer and step.
- C. Finn, P. Abbeel, S. Levine: Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks. ICML 2017.
- A. Vaswani and others: Attention Is All You Need. NeurIPS 2017.

Text and figures: CC BY 4.0. Code: MIT.
'''}
