"""The trainer: one `step` learns from one batch; `state` holds everything that decides what comes next."""

from __future__ import annotations

import copy
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from networks.alias_free import ChainSynthesisLayer
from networks.plan import Noise, NoiseMode
from networks.training import growing, losses
from networks.training.augment import augment
from networks.training.config import TrainConfig, build_critic, build_generator
from networks.training.data import PictureSet
from networks.training.ema import ema_beta, update_ema
from networks.training.parallel import World
from networks.training.projected import ProjectedDiscriminator

CALIBRATION = 64  # training pictures that the projected discriminator is calibrated on
MAGNITUDE_DECAY = 0.999  # Karras et al. 2021, appendix B


def adam(parameters: list[nn.Parameter], rate: float, interval: int) -> torch.optim.Adam:
    """Adam without momentum; lazy regularization slows it down by c = k / (k + 1) (Karras et al. 2020, app. B)."""
    c = interval / (interval + 1) if interval else 1.0
    return torch.optim.Adam(parameters, rate * c, (0.0, 0.99**c), 1e-8)


class Trainer:
    """Generator, discriminator, their optimizers, the average, and one random stream on the CPU for all draws."""

    def __init__(
        self,
        config: TrainConfig,
        data: PictureSet,
        device: torch.device | str = "cpu",
        world: World | None = None,
    ) -> None:
        if data.size != config.resolution or data.img_channels != config.img_channels:
            raise ValueError(
                f"{data.folder} holds pictures of {data.size} px with {data.img_channels} channels, "
                f"the run wants {config.resolution} px with {config.img_channels}"
            )
        self.config, self.data, self.device, self.world = config, data, torch.device(device), world or World()
        if config.batch % self.world.size:
            raise ValueError(f"a batch of {config.batch} cannot be shared by {self.world.size} processes")
        self.share = config.batch // self.world.size
        self.generator = build_generator(config).to(self.device)
        self.average = copy.deepcopy(self.generator).eval().requires_grad_(False)
        self.critic = build_critic(config).to(self.device)
        if isinstance(self.critic, ProjectedDiscriminator):
            even = torch.arange(0, len(data), max(1, len(data) // CALIBRATION))[:CALIBRATION]
            self.critic.calibrate(data.take(even).to(self.device))
        self.critic_parameters = [p for p in self.critic.parameters() if p.requires_grad]
        self.g_optimizer = adam(
            list(self.generator.parameters()), config.g_rate, config.path_interval if config.path_weight else 0
        )
        self.d_optimizer = adam(self.critic_parameters, config.d_rate, config.r1_interval if config.gamma else 0)
        self.path_mean = torch.zeros((), device=self.device)
        self.rng = torch.Generator().manual_seed(config.seed + 7919 * self.world.rank)
        self.steps, self.seen = 0, 0
        self.stats: dict[str, float] = {}
        if config.family == "stylegan3":
            self._follow_magnitudes()

    def _follow_magnitudes(self) -> None:
        """Keep the running mean square of each layer's input while training (Karras et al. 2021, appendix B)."""

        def follow(layer: nn.Module, args: tuple[Any, ...]) -> None:
            if layer.training and isinstance(layer, ChainSynthesisLayer):
                square = args[0].detach().float().square().mean()
                self.world.average_([square])
                layer.magnitude_ema.copy_(square.lerp(layer.magnitude_ema, MAGNITUDE_DECAY))

        for layer in self.generator.modules():
            if isinstance(layer, ChainSynthesisLayer):
                layer.register_forward_pre_hook(follow)

    # -- what one step is made of

    @property
    def stage(self) -> growing.Stage:
        """The size that trains now; the full one unless the run grows."""
        config = self.config
        if config.critic != "growing" or not config.phase:
            return growing.Stage(config.resolution, 1.0)
        return growing.stage_at(self.seen, config.growing_start, config.resolution, config.phase)

    def draw_ws(self, count: int) -> Tensor:
        """Fresh ws [count, num_ws, w_dim] with style mixing; moves w_avg."""
        z = torch.randn(count, self.config.z_dim, generator=self.rng).to(self.device)
        w = self.generator.mapping(z)
        centre = self.generator.mapping.w_avg
        mean = w.detach().mean(dim=0)
        self.world.average_([mean])
        centre.copy_(mean.lerp(centre, self.config.w_avg_decay))
        ws = w[:, None].repeat(1, self.generator.num_ws, 1)
        return self._mix(ws) if self.config.style_mixing else ws

    def _mix(self, ws: Tensor) -> Tensor:
        """Replace the rows from a random crossover on by those of another z (style mixing, Karras et al. 2019)."""
        count, rows = ws.shape[:2]
        z = torch.randn(count, self.config.z_dim, generator=self.rng).to(self.device)
        used = min(rows, 2 * (self.stage.size.bit_length() - 2))  # a growing network uses its first rows only
        crossover = torch.randint(1, max(used, 2), (count,), generator=self.rng)
        keep = torch.rand(count, generator=self.rng) >= self.config.style_mixing
        crossover = torch.where(keep, rows, crossover)
        first = (torch.arange(rows)[None] < crossover[:, None]).to(self.device)
        return torch.where(first[:, :, None], ws, self.generator.mapping(z)[:, None])

    def pictures(self, ws: Tensor) -> Tensor:
        """ws -> made pictures at the present stage, with fresh noise (none before `noise_start`)."""
        mode: NoiseMode = "random" if self.seen >= self.config.noise_start else "none"
        noise = Noise(mode, seed=int(torch.randint(2**31, (), generator=self.rng)))
        with self._precision():
            return growing.synthesize(self.generator, ws, noise, self.stage).float()

    def judge(self, pictures: Tensor) -> Tensor:
        """Logits of augmented pictures."""
        if isinstance(self.critic, growing.GrowingDiscriminator):
            self.critic.stage = self.stage
        pictures = augment(pictures, self.config.policy, self.rng)
        with self._precision():
            return self.critic(pictures).float()

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.precision == "bf16")

    def step(self) -> dict[str, float]:
        """Learn from one batch: the discriminator, then the generator, then the average; returns what happened."""
        config = self.config
        real = growing.fade(self.data.batch(self.share, self.rng, config.mirror).to(self.device), self.stage)
        fake = self.pictures(self.draw_ws(self.share))
        self._learn_critic(real, fake.detach())
        if config.gamma and self.steps % config.r1_interval == 0:
            self._regularize_critic(real)
        self._learn_generator(fake)
        if config.path_weight and self.steps % config.path_interval == 0:
            self._regularize_generator()
        self.steps += 1
        self.seen += config.batch
        beta = ema_beta(config.batch, self.seen, config.ema_half_life, config.ema_ramp_up)
        update_ema(self.average, self.generator, beta)
        return dict(self.stats)

    def _learn_critic(self, real: Tensor, fake: Tensor) -> None:
        real_logits, fake_logits = self.judge(real), self.judge(fake)
        loss = losses.logistic_d_loss(real_logits, fake_logits)
        self._apply(loss, self.d_optimizer)
        self.stats["d_loss"] = loss.item()
        self.stats["real_sign"] = real_logits.sign().mean().item()
        self.stats["fake_sign"] = fake_logits.sign().mean().item()

    def _learn_generator(self, fake: Tensor) -> None:
        self.critic.requires_grad_(False)
        logits = self.judge(fake)
        loss = losses.logistic_g_loss(logits)
        excess = losses.range_penalty(fake) * self.config.range_weight if self.config.range_weight else 0.0
        self._apply(loss + excess, self.g_optimizer)
        self._free_critic()
        self.stats["g_loss"] = loss.item()

    def _regularize_critic(self, real: Tensor) -> None:
        real = real.detach().requires_grad_(True)
        penalty = losses.r1_penalty(self.judge(real), real)
        self._apply(penalty * (self.config.gamma / 2 * self.config.r1_interval), self.d_optimizer)
        self.stats["r1"] = penalty.item()

    def _regularize_generator(self) -> None:
        ws = self.draw_ws(max(1, self.share // 2))
        pictures = self.pictures(ws)
        y = torch.randn(pictures.shape, generator=self.rng).to(self.device)
        lengths = losses.path_lengths(pictures, ws, y)
        penalty, self.path_mean = losses.path_length_penalty(lengths, self.path_mean)
        self.world.average_([self.path_mean])
        self._apply(penalty * (self.config.path_weight * self.config.path_interval), self.g_optimizer)
        self.stats["path_penalty"], self.stats["path_length"] = penalty.item(), self.path_mean.item()

    def _apply(self, loss: Tensor, optimizer: torch.optim.Adam) -> None:
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        self.world.average_(gradients)
        for gradient in gradients:
            gradient.nan_to_num_(nan=0.0, posinf=1e5, neginf=-1e5)
        optimizer.step()

    def _free_critic(self) -> None:
        for parameter in self.critic_parameters:
            parameter.requires_grad_(True)

    # -- what a snapshot holds

    def state(self) -> dict[str, Any]:
        """Everything that decides the next step, as plain values and tensors. Every process must ask for it.

        Raises RuntimeError when the processes no longer hold the same generator.
        """
        total = torch.stack([p.detach().double().sum() for p in self.generator.parameters()]).sum()
        if len({part.item() for part in self.world.gather(total)}) > 1:
            raise RuntimeError(f"{self.world.size} processes hold different generators at {self.seen} pictures")
        return {
            "config": asdict(self.config),
            "steps": self.steps,
            "seen": self.seen,
            "generator": self.generator.state_dict(),
            "average": self.average.state_dict(),
            "critic": self.critic.state_dict(),
            "g_optimizer": self.g_optimizer.state_dict(),
            "d_optimizer": self.d_optimizer.state_dict(),
            "path_mean": self.path_mean,
            "rng": self.world.gather(self.rng.get_state()),
            "stats": dict(self.stats),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on exactly where `state` was taken; by as many processes."""
        if len(state["rng"]) != self.world.size:
            raise ValueError(f"the snapshot is of {len(state['rng'])} processes, this run has {self.world.size}")
        self.generator.load_state_dict(state["generator"])
        self.average.load_state_dict(state["average"])
        self.critic.load_state_dict(state["critic"])
        for optimizer, name in ((self.g_optimizer, "g_optimizer"), (self.d_optimizer, "d_optimizer")):
            pace = {key: optimizer.param_groups[0][key] for key in ("lr", "betas")}  # of this run, not of the snapshot
            optimizer.load_state_dict(state[name])
            optimizer.param_groups[0].update(pace)
        self.path_mean = state["path_mean"].to(self.device)
        self.rng.set_state(state["rng"][self.world.rank])
        self.steps, self.seen, self.stats = state["steps"], state["seen"], dict(state["stats"])
