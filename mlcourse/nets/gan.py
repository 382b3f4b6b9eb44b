"""The networks of small GANs for pictures: a generator that redraws a picture, one that paints from a code, and a
discriminator."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NOISE = 16          # the size of the noise ξ
FAINT = 0.1         # a correction's size below which it is not made


class FiLM(nn.Module):
    """A 3×3 convolution, layer norm, then h · (1 + γ(ξ)) + β(ξ) with γ and β linear in the noise, and a leaky ReLU
    (Perez et al., FiLM: Visual Reasoning with a General Conditioning Layer, AAAI 2018)."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.film = nn.Linear(NOISE, 2 * outputs)
        nn.init.normal_(self.film.weight, std=0.1)
        nn.init.zeros_(self.film.bias)

    def forward(self, h: Tensor, z: Tensor) -> Tensor:
        """h (M, inputs, H, W), z, which is ξ, (M, NOISE) → (M, outputs, H, W)."""
        gain, shift = self.film(z)[..., None, None].chunk(2, 1)
        return F.leaky_relu(F.group_norm(self.conv(h), 1) * (1 + gain) + shift, 0.1)


class Redrawing(nn.Module):
    """G(x, ξ): a residual U-Net that redraws a source picture x (M, 1, S, S) in [0, 1], S divisible by 4, with noise
    ξ (M, NOISE): (M, 1, S, S) in [0, 1].

    It says for each pixel where in x to read it, as a step from its own place, and what to add:
    G(x, ξ) = clip(x(place + step) + correction). The gradient passes the clip as if it were not there, or a pixel that
    is black by mistake would never learn. Before training step and correction are 0 and G(x, ξ) = x. The steps are what
    lets it stretch a character; a correction alone would have to wipe it out and paint it anew elsewhere.
    """

    def __init__(self, widths: Sequence[int] = (16, 32, 48), seed: int = 0):
        super().__init__()
        a, b, c = widths
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.down = nn.ModuleList([FiLM(3, a), FiLM(a, b), FiLM(b, c)])
            self.middle = FiLM(c, c)
            self.up = nn.ModuleList([FiLM(c + b, b), FiLM(b + a, a), FiLM(a, a)])
            self.out = nn.Conv2d(a, 3, 3, padding=1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        at = places(x)
        first = self.down[0](torch.cat([x, at.permute(0, 3, 1, 2)], 1), z)
        second = self.down[1](F.avg_pool2d(first, 2), z)
        third = self.middle(self.down[2](F.avg_pool2d(second, 2), z), z)
        second = self.up[0](torch.cat([F.interpolate(third, scale_factor=2.0), second], 1), z)
        first = self.up[1](torch.cat([F.interpolate(second, scale_factor=2.0), first], 1), z)
        first = self.up[2](first, z)
        correction, step = self.out(first).split([1, 2], 1)
        drawn = F.grid_sample(x, at + step.permute(0, 2, 3, 1), align_corners=False) + correction
        seen = (drawn - correction.clamp(-FAINT, FAINT)).clamp(0, 1)
        return seen.detach() + (drawn - drawn.detach())


def places(x: Tensor) -> Tensor:
    """The places (M, S, S, 2) of the pixels of pictures x (M, 1, S, S): across and down, from -1 to 1."""
    at = (torch.arange(x.shape[-1], device=x.device, dtype=x.dtype) + 0.5) * 2 / x.shape[-1] - 1
    return torch.stack(torch.meshgrid(at, at, indexing="xy"), -1).expand(len(x), -1, -1, -1)


class Spectral(nn.Module):
    """A linear map W, divided by its largest singular value σ (Miyato et al., Spectral Normalization for Generative
    Adversarial Networks, ICLR 2018): as a matrix, it stretches nothing by more than 1.

    σ = uᵀ W v, W as a matrix (outputs, inputs), with v = Wᵀu / |Wᵀu|; `iterate` moves u towards the first singular
    vector. `forward` changes nothing, so that the same call gives the same answer.
    """

    def __init__(self, shape: Sequence[int]):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(*shape))
        nn.init.kaiming_normal_(self.weight, 0.1)
        self.bias = nn.Parameter(torch.zeros(shape[0]))
        self.register_buffer("u", F.normalize(torch.randn(shape[0]), dim=0))
        for _ in range(10):
            self.iterate()

    @torch.no_grad()
    def iterate(self) -> None:
        """One power iteration: u ← W Wᵀ u, at unit length."""
        w = self.weight.flatten(1)
        self.u.copy_(F.normalize(w @ (w.T @ self.u), dim=0))

    def normalised(self) -> Tensor:
        """W / σ, in the shape of the weight."""
        w = self.weight.flatten(1)
        v = F.normalize((w.T @ self.u).detach(), dim=0)
        return self.weight / torch.dot(self.u, w @ v)


class Discriminator(nn.Module):
    """D(x): three 4×4 convolutions of stride 2, each as a matrix of spectral norm 1, and a linear map without a bound:
    the scores must be able to grow, or the hinge is never reached. Pictures (M, 1, S, S), S divisible by 8, to scores
    (M,): positive says "target", negative "generated". channels: of the pictures; 2 where a pair is judged."""

    def __init__(self, side: int = 16, widths: Sequence[int] = (32, 64, 128), seed: int = 0,
                 channels: int = 1):
        super().__init__()
        channels, left = [channels, *widths], side
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.convs = nn.ModuleList(Spectral((o, i, 4, 4)) for i, o in zip(channels, widths, strict=False))
            for _ in widths:
                left //= 2
            self.head = nn.Linear(widths[-1] * left ** 2, 1)
            nn.init.normal_(self.head.weight, std=0.5)

    def forward(self, x: Tensor) -> Tensor:
        return self.features(x)[-1]

    def features(self, x: Tensor) -> list[Tensor]:
        """What each convolution gives, (M, width, S', S') each, and the scores (M,)."""
        found = []
        for conv in self.convs:
            x = F.leaky_relu(F.conv2d(x, conv.normalised(), conv.bias, stride=2, padding=1), 0.1)
            found.append(x)
        return [*found, self.head(x.flatten(1))[:, 0]]

    def iterate(self) -> None:
        """One power iteration in every layer; to be called after each step of the optimiser."""
        for conv in self.convs:
            conv.iterate()


class Painter(nn.Module):
    """G(code): codes (M, inputs), in which there is noise, to pictures (M, 1, side, side) in [0, 1], side divisible by
    4."""

    def __init__(self, inputs: int, side: int = 28, hidden: int = 128, width: int = 16, seed: int = 0):
        super().__init__()
        grid = side // 4
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.net = nn.Sequential(
                nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, width * grid ** 2), nn.ReLU(),
                nn.Unflatten(1, (width, grid, grid)), nn.ConvTranspose2d(width, width, 4, 2, 1), nn.ReLU(),
                nn.ConvTranspose2d(width, 1, 4, 2, 1))

    def forward(self, code: Tensor) -> Tensor:
        return self.net(code).sigmoid()
