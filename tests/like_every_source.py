"""What every data set must hold."""

import pytest
import torch

from mlcourse import datasets


def check_source(source):
    """Skips where the files are not on this machine."""
    try:
        domain, again = source.load(None, datasets.GREY), source.load(None, datasets.GREY)
    except datasets.DataError as missing:
        pytest.skip(str(missing))
    assert domain.name == source.name and domain.note, "its name, and what was done to the pictures"
    assert torch.equal(domain.images, again.images) and torch.equal(domain.labels, again.labels), "the same each time"
    (check_sequences if source.sequence else check_pictures)(source, domain)
    assert domain.labels.bincount(minlength=len(domain.classes)).min() >= 2, "a support and a query sample of each"
    if source.images is not None:
        whole = len(domain.images) == source.images     # of a download a part may be here
        assert len(domain.classes) == source.classes and (whole or source.remote and len(domain.images) < source.images)
    if source.splits:
        assert sorted(group for groups in source.splits.values() for group in groups) == sorted(set(domain.groups))
        assert list(source.splits) == ["train", "val", "test"]


def check_sequences(source, domain):
    assert domain.sequences and domain.images.shape[1:] == source.sequence
    with pytest.raises(ValueError, match="a side and colours are for pictures"):
        source.load(None, datasets.Form(20))


def check_pictures(source, domain):
    assert domain.images.shape[1:] == (1, 28, 28) and len(domain.images), "28×28, grey"
    small = source.load(None, datasets.Form(20, colour=True))
    assert small.images.shape == (len(domain.images), 3, 20, 20) and torch.equal(small.labels, domain.labels)
    mean = lambda part: part.images.float().mean((1, 2, 3))
    assert (mean(small) - mean(domain)).abs().max() < 12, "as dark in any form"
    border = torch.cat([domain.images[:, 0, [0, -1]].flatten(), domain.images[:, 0, :, [0, -1]].flatten()])
    assert border.median() < 64 and domain.images.amax() > 191, "the ground is low and the ink is high"
