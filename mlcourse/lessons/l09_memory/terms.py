"""The terms that lesson 09 introduces, a sentence each, and their Chinese names; the glossary is made of them."""

TERMS = {
    "external memory": "A table of numbers beside a network, whose rows it reads and writes at every step.",
    "focus": "The weights, positive and with the sum 1, by which a step reads or writes each row of a memory.",
    "key": "A vector that is compared with every row of a memory, to find the rows that are like it.",
    "strength": "A positive number that multiplies the cosines before a softmax; the larger, the more one row stands "
                "out.",
    "sharpness": "The power to which the weights of a focus are raised, so that the largest gains.",
    "NTM": "Neural Turing machine: a network, here an LSTM, with an external memory that it addresses by content and "
           "by position.",
    "MANN": "Memory-augmented neural network: a meta-learner that reads a memory by content, and writes to the row "
            "read last or used least.",
    "stream": "An episode whose samples come one at a time, each label one step after its sample.",
    "presentation": "The first, second or later coming of a class in a stream.",
}

CHINESE = {
    "external memory": "外部记忆", "focus": "寻址权重", "key": "键", "strength": "键强度", "sharpness": "锐化指数",
    "NTM": "神经图灵机", "MANN": "记忆增强神经网络", "stream": "样本流", "presentation": "出现次序",
}
