"""The LSTM meta-learner beside MAML and ProtoNet, on the same episodes of glyphs."""
