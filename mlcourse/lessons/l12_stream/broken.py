"""What an exercise of lesson 12 shows as broken."""

ARRIVING_BROKEN = '''\
def arriving_broken(strategy, task, sizes):
    """It runs. Two bugs."""
    strategy.begin()
    right, last = [], 0
    for n in sizes:
        x, y = task.x[last:n], task.y[last:n]
        strategy.see(x, y)
        predict = strategy.before()
        right.append(float((predict(task.x[:n]).argmax(1) == task.y[:n]).float().mean()))
        last = n
    return right'''
