"""A tour of the framework, in the order in which a newcomer would meet it. Read from top to bottom; every step runs."""

import numpy as np

import nanograd as ng
from nanograd import nn, optim
from nanograd.autograd import gradcheck
from nanograd.data import DataLoader, TensorDataset
from nanograd.gptlanguage import GPTLanguageModel
from nanograd.model_state import load, save
from nanograd.nn import functional as F


def test_1_a_tensor_is_an_array_with_pytorchs_manners():
    x = ng.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert (x.shape, x.dtype) == ((2, 3), ng.float32)
    assert (x * 10 + ng.tensor([1.0, 2.0, 3.0]))[1].tolist() == [41, 52, 63]  # shapes broadcast
    assert (x @ x.T).shape == (2, 2)
    assert x[:, x[0] > 1].sum(dim=1).tolist() == [5, 11]
    assert ng.arange(6).reshape(2, 3).flip(0).tolist() == [[3, 4, 5], [0, 1, 2]]
    assert ng.einsum("ij,ij->i", x, x).tolist() == [14, 77]


def test_2_a_tensor_remembers_how_it_was_made_so_gradients_flow_back():
    x = ng.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = (x * x).sum()
    y.backward()
    assert x.grad.tolist() == [2, 4, 6]  # dy/dx = 2x
    assert y.grad_fn is not None
    with ng.no_grad():
        assert (x * x).grad_fn is None  # nothing is remembered here
    point = ng.tensor([0.3, -1.2], dtype=ng.float64, requires_grad=True)
    assert gradcheck(lambda p: (p.exp() * p.sin()).sum(), point)  # the slope, measured


def test_3_a_step_against_the_gradient_makes_a_loss_smaller():
    wanted = ng.tensor([3.0, -1.0])
    weight = ng.zeros(2, requires_grad=True)
    for _ in range(50):
        loss = ((weight - wanted) ** 2).sum()
        weight.grad = None
        loss.backward()
        with ng.no_grad():
            weight -= 0.1 * weight.grad
    assert loss.item() < 1e-6


class Line(nn.Module):
    """What a module is: parameters that are found by themselves, and a forward function. (N, 1) -> (N, 1)."""

    def __init__(self):
        super().__init__()
        self.slope = nn.Parameter(ng.zeros(1))
        self.offset = nn.Parameter(ng.zeros(1))

    def forward(self, x):
        return self.slope * x + self.offset


def test_4_a_module_holds_parameters_and_an_optimizer_moves_them():
    line, x = Line(), ng.linspace(-1, 1, 20).unsqueeze(1)
    optimizer = optim.SGD(line.parameters(), lr=0.3, momentum=0.5)
    for _ in range(60):
        optimizer.zero_grad()
        F.mse_loss(line(x), 2 * x + 0.5).backward()
        optimizer.step()
    found = {name: round(parameter.item(), 3) for name, parameter in line.named_parameters()}
    assert found == {"slope": 2.0, "offset": 0.5}


def two_moons(count, seed):
    """Points (N, 2) on two half circles that reach into each other, and which of the two each lies on (N,)."""
    draws = np.random.default_rng(seed)
    angle, moon = draws.uniform(0, np.pi, count), draws.integers(0, 2, count)
    side = 1 - 2 * moon
    points = np.stack([np.cos(angle) * side + moon, np.sin(angle) * side + moon * 0.5], axis=1)
    return ng.tensor(points + draws.normal(0, 0.1, points.shape), dtype=ng.float32), ng.tensor(moon)


def test_5_a_network_separates_two_moons():
    ng.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2))
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    batches = DataLoader(TensorDataset(*two_moons(500, seed=1)), batch_size=50, shuffle=True)
    for _ in range(20):
        for points, moons in batches:
            optimizer.zero_grad()
            F.cross_entropy(model(points), moons).backward()
            optimizer.step()
    points, moons = two_moons(500, seed=2)
    with ng.no_grad():
        assert (model(points).argmax(dim=1) == moons).float().mean().item() >= 0.99


def test_6_a_convolutional_network_tells_lying_bars_from_standing_ones():
    draws = np.random.default_rng(0)
    images, lying = draws.normal(0, 0.3, (200, 1, 8, 8)), draws.integers(0, 2, 200)
    for image, flat, place in zip(images, lying, draws.integers(0, 8, 200), strict=True):
        (image[0] if flat else image[0].T)[place] += 1
    x, y = ng.tensor(images, dtype=ng.float32), ng.tensor(lying)
    ng.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 2))
    optimizer = optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(40):
        optimizer.zero_grad()
        F.cross_entropy(model(x[:150]), y[:150]).backward()
        optimizer.step()
    assert (model(x[150:]).argmax(1) == y[150:]).float().mean().item() >= 0.95


def test_7_attention_mixes_values_by_how_well_queries_fit_keys():
    keys = ng.eye(4) * 20  # four keys that have nothing in common; the queries ask for the third, then the first
    values = ng.tensor([[10.0], [20.0], [30.0], [40.0]])
    found = F.scaled_dot_product_attention(ng.eye(4)[[2, 0]], keys, values)
    assert (found - ng.tensor([[30.0], [10.0]])).abs().max().item() < 0.01
    causal = nn.MultiheadAttention(embed_dim=8, num_heads=2, batch_first=True)
    x = ng.randn(1, 5, 8)
    _, weights = causal(x, x, x, attn_mask=ng.ones(5, 5).triu(1).bool())
    assert (weights[0].triu(1) == 0).all()  # nobody looks ahead


def test_8_a_gpt_learns_to_count_and_is_saved(tmp_path):
    def new_model():
        return GPTLanguageModel(vocab_size=10, n_embd=32, n_head=2, n_layer=2, block_size=16)

    ng.manual_seed(0)
    model = new_model()
    optimizer = optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(80):
        digits = (ng.randint(10, (16, 1)) + ng.arange(17)) % 10  # 7 8 9 0 1 2 ...
        _, loss = model(digits[:, :-1], digits[:, 1:])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    assert loss.item() < 0.5
    assert model.generate([3, 4, 5], max_new_tokens=6, temperature=0).tolist() == [3, 4, 5, 6, 7, 8, 9, 0, 1]

    save(tmp_path / "model.safetensors", model=model)
    other = new_model()
    load(tmp_path / "model.safetensors", model=other)
    assert other.generate([8], max_new_tokens=3, temperature=0).tolist() == [8, 9, 0, 1]
