"""Networks that address, read and write a memory: a neural Turing machine, and memories for labelled streams."""

from mlcourse.memory.addressing import (Head, address, content, cosine, erase_add, interpolate, largest_weight, read,
                                        sharpen, shift)
from mlcourse.memory.copying import CopyLSTM, copies, copy_loss, train_copy, wrong_bits
from mlcourse.memory.mann import MANN, KeyValue, MemoryState, Said, StreamLSTM
from mlcourse.memory.ntm import NTM, Controls, State, Tape, tape
from mlcourse.memory.stream import (Stream, Streams, by_presentation, elimination_bound, guesses, nearest, prepared,
                                    stream_loss, train_stream)

__all__ = ["MANN", "NTM", "Controls", "CopyLSTM", "Head", "KeyValue", "MemoryState", "Said", "State", "Stream",
           "StreamLSTM", "Streams", "Tape", "address", "by_presentation", "content", "copies", "copy_loss", "cosine",
           "elimination_bound", "erase_add", "guesses", "interpolate", "largest_weight", "nearest", "prepared", "read",
           "sharpen", "shift", "stream_loss", "tape", "train_copy", "train_stream", "wrong_bits"]
