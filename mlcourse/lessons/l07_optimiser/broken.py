"""The training of a learned optimiser with mistakes that people make, as exercise 07.3 shows it."""

SCRIPT = '''\
class Optimiser(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.cells = [LSTMCell(2, 20), LSTMCell(20, 20)]                   # a
        self.out = torch.nn.Linear(20, 1)                                  # b

def train(m):
    outer = torch.optim.Adam(m.parameters(), lr=0.01)
    for _ in range(400):
        f, begin = random_quadratics(64)
        phi, state = begin, m.start(begin)                                 # c
        for _ in range(5):
            meta_loss, phi, state = stretch(m, f, phi, state, 20)
            meta_loss.backward()                                           # d
            outer.step()
            phi, state = begin, m.start(begin)                             # e'''
