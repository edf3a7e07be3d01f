"""The settings of a run, declared once: their bounds, units and help make the form, the command line and the checks."""

from collections.abc import Mapping
from dataclasses import Field, asdict, dataclass, field, fields, replace
from math import isfinite
from typing import Any, Final, Self

from nanograd.errors import SettingsError
from nanograd.training.native import core_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a form, a command line and a check need to know of one field of RunSettings.

    `up` and `down` tell what comes of a larger and of a smaller number. `changeable` marks what may change in the middle of
    a run. A number's bounds include their ends.
    """

    label: str
    group: str
    help: str
    up: str = ""
    down: str = ""
    minimum: float = 0
    maximum: float = 0
    unit: str = ""
    choices: tuple[str, ...] = ()
    changeable: bool = False
    is_advanced: bool = False


def _setting(default: Any, label: str, group: str, help: str, **more: Any) -> Any:
    return field(default=default, metadata={"setting": Setting(label=label, group=group, help=help, **more)})


FIXED_BY_WEIGHTS: Final = frozenset(
    {
        "n_layer", "n_head", "n_embd", "block_size", "activation", "norm", "position", "qk_norm", "tied_head", "zero_init",
        "embedding_std", "bias", "optimizer",
    }
)  # fmt: skip
"""What a fork cannot change either: the weights and the optimizer's state were made for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """Everything that decides how a run goes, apart from its text. The defaults are the preset "nanoGPT CPU"."""

    # fmt: off
    n_layer: int = _setting(
        4, "Layers", "Model",
        "How many blocks of attention and MLP are stacked. More layers can learn longer chains of reasoning; each costs the same time again.",
        up="more parameters, time and memory, all in step; it learns longer chains of thought, and needs more text and steps for them",
        down="quicker, but it sees only what few tokens tell together",
        minimum=1, maximum=48,
    )
    n_head: int = _setting(
        4, "Heads", "Model",
        "How many attention patterns each layer has side by side. It must divide the width.",
        up="it can look for more things at once, each through a narrower window; the size stays the same",
        down="fewer, wider patterns; one is enough for the token before, not for much else",
        minimum=1, maximum=64,
    )
    n_embd: int = _setting(
        128, "Width", "Model",
        "How many numbers stand for each token inside the model. Twice the width is about four times the parameters.",
        up="it can tell more things apart; parameters and time grow with the square",
        down="small and quick, and soon at the end of what it can hold",
        minimum=2, maximum=4096,
    )
    block_size: int = _setting(
        64, "Context", "Model",
        "How many tokens back the model can look. A longer context costs memory and time.",
        up="it keeps up with longer sentences and scenes; attention's time and memory grow faster than the rest",
        down="quick steps, but what lies further back is as if it had never been",
        minimum=2, maximum=4096, unit="tokens",
    )
    dropout: float = _setting(
        0.0, "Dropout", "Model",
        "The share of activations set to zero in training. It holds off overfitting on small texts; 0 learns fastest.",
        up="it learns by heart more slowly, so validation holds up longer; training loss is higher, steps dearer",
        down="learns fastest; on a small text overfitting comes sooner",
        minimum=0.0, maximum=0.95,
    )
    activation: str = _setting(
        "gelu_tanh", "Activation", "Model",
        "The bend between the two halves of each MLP. gelu_tanh is GPT-2's; gelu is its exact form; relu is the simplest.",
        choices=("gelu_tanh", "gelu", "relu", "relu2", "swiglu"), is_advanced=True,
    )
    norm: str = _setting(
        "layernorm", "Norm", "Model",
        "How numbers are kept in scale before each part of a block. layernorm is GPT-2's; rmsnorm, which does not centre, is the newer one.",
        choices=("layernorm", "rmsnorm"), is_advanced=True,
    )
    position: str = _setting(
        "learned", "Positions", "Model",
        "How the model knows the order of tokens. learned adds a vector for each place; rotary turns queries and keys by their place, and learns faster.",
        choices=("learned", "rotary"), is_advanced=True,
    )
    qk_norm: bool = _setting(
        False, "Normed heads", "Model",
        "Brings queries and keys to one length before they are compared, which keeps attention calm at high learning rates.",
        is_advanced=True,
    )
    tied_head: bool = _setting(
        True, "Tied head", "Model",
        "Reads the next token off with the same table that tokens are looked up in. A head of its own has more parameters and learns faster.",
        is_advanced=True,
    )
    zero_init: bool = _setting(
        False, "Blocks start at zero", "Model",
        "Lets each block begin as nothing, so that the first steps go to the tokens themselves.",
        is_advanced=True,
    )
    embedding_std: float = _setting(
        0.02, "Embedding spread", "Model",
        "How far apart the vectors of the tokens begin. GPT-2's are 0.02; Muon does well with more.",
        up="tokens are far apart at once; the first steps are wild",
        down="tokens begin almost alike, and AdamW takes a while to part them",
        minimum=1e-4, maximum=10.0, is_advanced=True,
    )
    bias: bool = _setting(
        False, "Biases", "Model",
        "Adds a constant to every linear layer and layer norm. GPT-2 has them; without, the model is a little smaller and faster.",
        is_advanced=True,
    )
    batch_size: int = _setting(
        12, "Batch", "Training",
        "How many pieces of text each step learns from. A larger batch gives a smoother curve and slower steps.",
        up="steadier gradients, so a higher learning rate is safe; each step takes longer",
        down="quick, noisy steps; lower the learning rate with it",
        minimum=1, maximum=4096, unit="texts",
    )
    lr: float = _setting(
        1e-3, "Learning rate", "Training",
        "How far the weights move at each step. Too high and the loss jumps or turns NaN; too low and learning crawls.",
        up="falls faster, up to the point where the loss jumps or turns NaN",
        down="safe and slow; the run may end before it has learned much",
        minimum=1e-8, maximum=1e3, changeable=True,
    )
    max_steps: int = _setting(
        2000, "Steps", "Training",
        "How many steps the run takes. It can be raised later to go on.",
        up="a lower loss, until the text is known by heart; the learning rate falls more slowly",
        down="done sooner; the learning rate falls faster",
        minimum=1, maximum=100_000_000, changeable=True,
    )
    eval_interval: int = _setting(
        200, "Evaluate every", "Training",
        "How often the loss on text the model never trains on is measured, and the run is saved.",
        up="less time goes into measuring; fewer points, samples and saves",
        down="a finer curve and more moments to go back to; the run takes longer",
        minimum=1, maximum=10_000_000, unit="steps", changeable=True,
    )
    seed: int = _setting(
        1337, "Seed", "Training",
        "Where all chance starts from. The same seed, settings and text give the same run, number for number.",
        up="another run of the same kind; how much the end differs tells how much is chance",
        down="another run of the same kind",
        minimum=0, maximum=2**31 - 1,
    )
    min_lr: float = _setting(
        1e-4, "Final learning rate", "Training",
        "Where the learning rate ends.",
        up="the last steps still move; the loss stays a little noisy",
        down="settles finely at the end",
        minimum=0.0, maximum=1e3, changeable=True, is_advanced=True,
    )
    decay: str = _setting(
        "cosine", "Falls along", "Training",
        "How the learning rate falls from the end of the warm-up to the last step: along half a cosine, or evenly. Muon does better with linear.",
        choices=("cosine", "linear"), changeable=True, is_advanced=True,
    )
    warmup_steps: int = _setting(
        100, "Warm-up", "Training",
        "For how many steps the learning rate rises from zero. It keeps the first steps from going astray.",
        up="a gentler start; on a short run the time is lost",
        down="full strength at once; AdamW with a high rate may go astray",
        minimum=0, maximum=10_000_000, unit="steps", changeable=True, is_advanced=True,
    )
    weight_decay: float = _setting(
        0.1, "Weight decay", "Training",
        "Pulls the weights of the matrices towards zero. Some holds off overfitting.",
        up="smaller weights: less overfitting, and too much keeps it from learning",
        down="weights grow as they like; best where the text is large",
        minimum=0.0, maximum=10.0, changeable=True, is_advanced=True,
    )
    optimizer: str = _setting(
        "adamw", "Optimizer", "Training",
        "How gradients become changes. adamw scales each number by itself; muon makes the change of each matrix orthogonal, and needs about a third of the steps.",
        choices=("adamw", "muon"), is_advanced=True,
    )
    muon_lr: float = _setting(
        0.02, "Muon's rate", "Training",
        "How far Muon moves the matrices at each step; it rises and falls with the learning rate, which is for everything else. Without Muon it has no effect.",
        up="the matrices move faster; too high and the loss stops falling",
        down="slow and safe",
        minimum=1e-6, maximum=10.0, changeable=True, is_advanced=True,
    )
    beta1: float = _setting(
        0.9, "Beta 1", "Training",
        "How long AdamW remembers the direction of past gradients: 0.9 is about ten steps.",
        up="smoother, slower to turn",
        down="follows each batch",
        minimum=0.0, maximum=0.9999, is_advanced=True,
    )
    beta2: float = _setting(
        0.99, "Beta 2", "Training",
        "How long AdamW remembers the size of past gradients: 0.99 is about a hundred steps.",
        up="steadier steps; slow to notice that gradients have changed",
        down="quick to adapt, and noisier",
        minimum=0.0, maximum=0.999999, is_advanced=True,
    )
    grad_clip: float = _setting(
        1.0, "Clip gradients at", "Training",
        "Shortens gradients whose norm is above this, so that one odd batch cannot upset the model; 0 is off.",
        up="lets large gradients through",
        down="shortens nearly every step, as if the learning rate were lower; 0 is off",
        minimum=0.0, maximum=1e6, changeable=True, is_advanced=True,
    )
    validation_fraction: float = _setting(
        0.1, "Kept for validation", "Training",
        "The share of the text, from its end, that the model never trains on.",
        up="a truer validation loss, less text to learn from",
        down="more to learn from; the validation loss says less",
        minimum=0.01, maximum=0.9, is_advanced=True,
    )
    eval_windows: int = _setting(
        2000, "Windows to evaluate", "Training",
        "How many pieces of the validation part an evaluation covers, always the same ones, spread evenly; all of them where there are fewer.",
        up="a truer validation loss; each evaluation takes longer",
        down="quick evaluations whose loss depends on which pieces they got",
        minimum=1, maximum=1_000_000, unit="texts", changeable=True, is_advanced=True,
    )
    sample_tokens: int = _setting(
        160, "Sample length", "Training",
        "How much text the model writes at each evaluation, to show how far it has come; 0 is none.",
        up="more to read; each evaluation takes longer",
        down="shorter samples; 0 writes none",
        minimum=0, maximum=10_000, unit="tokens", changeable=True, is_advanced=True,
    )
    probe_interval: int = _setting(
        0, "Look inside every", "Training",
        "How often the model is watched as it reads the probe; 0 is about once a second.",
        up="less time goes into looking",
        down="every step can be gone back to; training slows down",
        minimum=0, maximum=10_000_000, unit="steps", changeable=True, is_advanced=True,
    )
    keep_every: int = _setting(
        1000, "Keep every", "Training",
        "Of the older checkpoints those stay whose step is a multiple of this; 0 is none. The last two and the best stay in any case.",
        up="fewer old checkpoints to go back to, less of the disk taken",
        down="more moments to go back to, more of the disk taken",
        minimum=0, maximum=100_000_000, unit="steps", changeable=True, is_advanced=True,
    )
    disk_budget: int = _setting(
        2000, "Disk for the run", "Training",
        "How much the run's checkpoints may take. Beyond it the oldest go first, but never the last or the best.",
        up="more old checkpoints are kept",
        down="old checkpoints go sooner",
        minimum=1, maximum=10_000_000, unit="MB", changeable=True, is_advanced=True,
    )
    parts: int = _setting(
        core_count(), "Cores", "Training",
        "Each batch is cut into this many parts, which are computed side by side. As many as the computer has cores is fastest.",
        up="faster, as long as there are cores; each keeps gradients of its own",
        down="leaves cores to other programs",
        minimum=1, maximum=64, is_advanced=True,
    )
    # fmt: on

    def problems(self) -> dict[str, str]:
        """What is wrong with these settings: a field's name -> a message. Empty where all is well."""
        found: dict[str, str] = {}
        for declared in fields(self):
            message = _problem_of(getattr(self, declared.name), setting_of(declared), type(declared.default))
            if message:
                found[declared.name] = message
        if not found:
            found.update(self._problems_between_fields())
        return found

    def _problems_between_fields(self) -> dict[str, str]:
        if self.n_embd % self.n_head:
            return {
                "n_head": f"n_head {self.n_head} does not divide n_embd {self.n_embd}; {_suggest_heads(self.n_head, self.n_embd)}"
            }
        if self.position == "rotary" and self.n_embd // self.n_head % 2:
            return {
                "n_head": f"Rotary positions need an even width for each head; {self.n_embd} / {self.n_head} is odd. "
                "Choose other heads, or learned positions."
            }
        if self.min_lr > self.lr:
            return {
                "min_lr": f"The final learning rate {self.min_lr:g} is above the learning rate {self.lr:g}; choose at most {self.lr:g}."
            }
        return {}

    def check(self) -> Self:
        """Return these settings where nothing is wrong with them, otherwise raise SettingsError."""
        problems = self.problems()
        if problems:
            raise SettingsError(problems)
        return self

    def with_rates_times(self, factor: float) -> Self:
        """The same with every learning rate that counts times `factor`, as far as the bounds allow."""
        bounds = declared_settings()
        names = ("lr", "min_lr", "muon_lr") if self.optimizer == "muon" else ("lr", "min_lr")
        return replace(self, **{name: max(getattr(self, name) * factor, bounds[name].minimum) for name in names})

    def fixed_differences(self, other: "RunSettings") -> list[str]:
        """The names of the settings that differ from `other`'s and may not change in the middle of a run."""
        return [
            name
            for name, setting in declared_settings().items()
            if not setting.changeable and getattr(self, name) != getattr(other, name)
        ]

    def as_dict(self) -> dict[str, Any]:
        """Names and values, as `from_dict` takes them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Settings from names and values, checked; raises SettingsError for names that do not exist here."""
        known = {declared.name: declared for declared in fields(cls)}
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise SettingsError({name: f"There is no setting {name!r}; it may come from a newer version." for name in unknown})
        return cls(**values).check()


def setting_of(declared: "Field[Any]") -> Setting:
    """The declaration behind a dataclass field of RunSettings."""
    setting: Setting = declared.metadata["setting"]
    return setting


def declared_settings() -> dict[str, Setting]:
    """Every field of RunSettings by name, in the order a form shows them."""
    return {declared.name: setting_of(declared) for declared in fields(RunSettings)}


def _problem_of(value: Any, setting: Setting, kind: type) -> str:
    if kind is bool:
        return "" if isinstance(value, bool) else f"{setting.label} is yes or no, not {value!r}."
    if setting.choices:
        return "" if value in setting.choices else f"{setting.label} is one of {', '.join(setting.choices)}, not {value!r}."
    allowed = (int,) if kind is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, allowed) or (isinstance(value, float) and not isfinite(value)):
        return f"{setting.label} is a {'whole ' if kind is int else ''}number, not {value!r}."
    if not setting.minimum <= value <= setting.maximum:
        return f"{setting.label} {_shown(value)} is out of bounds; choose from {_shown(setting.minimum)} to {_shown(setting.maximum)}."
    return ""


def _suggest_heads(n_head: int, n_embd: int) -> str:
    divisors = [n for n in range(1, min(n_embd, 64) + 1) if n_embd % n == 0]
    nearest = [*[n for n in divisors if n < n_head][-1:], *[n for n in divisors if n > n_head][:1]]
    return f"choose {' or '.join(str(n) for n in nearest)}."


def _shown(number: float) -> str:
    """A number in full where it is whole: 2,147,483,647 rather than 2.14748e+09."""
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"


# fmt: off
_MODERN: dict[str, Any] = {
    "activation": "relu2", "norm": "rmsnorm", "position": "rotary", "qk_norm": True, "tied_head": False, "zero_init": True,
    "embedding_std": 0.1, "optimizer": "muon", "weight_decay": 0.0, "decay": "linear",
}
PRESETS: dict[str, RunSettings] = {
    "Tiny": RunSettings(
        n_layer=2, n_head=2, n_embd=32, block_size=32, batch_size=16, max_steps=2000, lr=3e-3, min_lr=3e-4,
        warmup_steps=50, eval_interval=100, eval_windows=256, sample_tokens=120,
    ),
    "Small": RunSettings(
        n_layer=3, n_head=3, n_embd=96, block_size=64, batch_size=16, max_steps=2000, lr=2e-3, min_lr=2e-4,
        eval_interval=100, eval_windows=256,
    ),
    "nanoGPT CPU": RunSettings(),
    "Fast": RunSettings(
        n_layer=2, batch_size=24, max_steps=220, lr=1e-2, min_lr=0.0, warmup_steps=0, eval_interval=25, eval_windows=256,
        beta1=0.8, beta2=0.95, **_MODERN,
    ),
    "Best": RunSettings(
        n_layer=3, n_head=6, n_embd=192, block_size=128, batch_size=32, max_steps=1800, dropout=0.1, lr=5e-3, min_lr=0.0,
        muon_lr=0.01, warmup_steps=0, eval_interval=150, eval_windows=256, beta1=0.8, beta2=0.95, **_MODERN,
    ),
    "Medium": RunSettings(
        n_layer=6, n_head=6, n_embd=384, block_size=256, batch_size=4, max_steps=5000, dropout=0.2,
        eval_interval=250, eval_windows=64, sample_tokens=256,
    ),
}
# fmt: on
