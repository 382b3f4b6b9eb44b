"""The run of an episode with two mistakes that people make, as exercise 09.5 shows it."""

EPISODE_BROKEN = '''\
def episode_broken(machine, z, y):
    label = torch.nn.functional.one_hot(y, 5).to(z.dtype)
    answers = []
    for t in range(len(z)):
        x = torch.cat([z[t], label[t]], -1)
        answer, machine.memory = machine(x, machine.memory)     # at first machine.start(B)
        answers.append(answer)
    machine.memory = machine.memory.detach()
    return torch.stack(answers)'''
