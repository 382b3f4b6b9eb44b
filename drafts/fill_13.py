fill["TRY"] = r'''
Three things to try, and what to look for:

1. **λ = 0, then λ = 0.1**, both played from snapshot 0. Without alignment the accuracy stays about where it started, and PAD does not fall. With a little of it PAD falls to half, the numerals move over the dots of their colour, and some eight answers more in a hundred are right.
2. **λ = 10.** In the first snapshots PAD *rises* and the accuracy falls towards the dashed line or below it. The game gets rough, though it may recover later: more weight is not always more alignment.
3. **CORAL at λ = 1 and at λ = 100.** The larger weight ends with the smaller PAD and with the lower accuracy. So a small distance is not the goal, either.
'''
fill["TRY8"] = r'''
1. **DANN at λ = 0.3.** At snapshot 0 the squares over 1, 4 and 7 are too low. As training goes on they do not climb towards the bars; the numerals 1, 4 and 7 are spread over the dots of other digits, and the accuracy falls.
2. **CORAL at λ = 1.** PAD falls, and the accuracy falls with it: the features look more alike *because* pictures of three digits have been dealt out over ten.
3. **λ = 0.** Nothing is aligned, and the accuracy stays about where AdaBN left it.
'''
fill["TEXT7"] = r"""
What the numbers say, from the first to the last:

- **The dull baseline takes the largest step.** AdaBN gains 33 points and trains nothing.
- **CORAL adds 10 points to it**, and gains in every seed.
- **DANN has the highest mean and the widest interval.** From seed to seed it gains between -2 and +22 points over AdaBN; five seeds tell it neither from AdaBN nor from CORAL. One lucky run would have made a table.
- **MLDG and the adapter add 3 and 5 points**, little and dependably, and they saw no picture of the target while they trained. (Here they practised between three pseudo-domains.)
- **No method has aligned the features**: their mean PAD stays above 1, where 0 would be aligned, and the accuracy has more than tripled nevertheless.
- **Labels win.** Fifty of them, five per class, and a network that has never seen a typeset digit beats everything that the source and no label give, by more than 20 points. From there on the typeset source is worth nothing that five seeds could show; with one label per class it is worth 11 points. A nearer source, MNIST, is still worth something at five.

So before you align, ask what a handful of labels costs. Adaptation without labels is for where you cannot have them.
"""
fill["ASSERT8"] = ""
fill["TEXT8"] = "TEXT8"
fill["CELL9"] = r'''
for d in (distances[0], distances[-1]):
    for arm in ("CORAL", "DANN"):
        picked = plots.of_arm(shift_rows, arm, d)
        own = [row for row in shift_rows if row["arm"] == arm and row["distance"] == d]
        best = {seed: max(row["accuracy"] for row in own if row["seed"] == seed) for seed in picked}
        mean = {seed: sum(row["accuracy"] for row in own if row["seed"] == seed) / 3 for seed in picked}
        lost, won = plots.difference(best, picked), plots.difference(picked, mean)
        print(f"label distance {d:g}, {arm:5s}: {lost[0]:4.1f} points below the best of three weights, "
              f"{won[0]:+4.1f} ± {won[1]:.1f} over a blind choice")
'''
fill["TEXT9"] = "TEXT9"
fill["WRAP"] = "WRAP"
