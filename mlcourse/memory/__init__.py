"""Networks with a memory that they address, read and write: a neural Turing machine, and a memory for labelled streams."""

from mlcourse.memory.addressing import (Head, address, content, cosine, erase_add, interpolate, largest_weight, read,
                                        sharpen, shift)
from mlcourse.memory.copying import CopyLSTM, copies, copy_loss, train_copy, wrong_bits
from mlcourse.memory.ntm import NTM, Controls, State, Tape, tape

__all__ = ["NTM", "Controls", "CopyLSTM", "Head", "State", "Tape", "address", "content", "copies", "copy_loss", "cosine",
           "erase_add", "interpolate", "largest_weight", "read", "sharpen", "shift", "tape", "train_copy", "wrong_bits"]
