"""What `python -m nnlab` does, written by hand: trains, validates, keeps, draws.

    python benchmarks/peers/raw_xor.py <folder>

2-64-2 on XOR, Adam, 20 epochs of 100 batches, the whole table each;
TensorBoard every 50 steps, a checkpoint of the best epoch, a log of lines, the curve
and the decision regions as PNG.
"""

import sys
from pathlib import Path

import matplotlib as mpl
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.tensorboard import SummaryWriter

mpl.use("Agg")
import matplotlib.pyplot as plt

EPOCHS, BATCHES = 20, 100


def main() -> None:
    """Train, and write into the folder that is named."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    label = torch.tensor([0, 1, 1, 0])
    network = nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 2))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    writer = SummaryWriter(folder)
    best, losses = float("inf"), []
    for epoch in range(EPOCHS):
        for batch in range(BATCHES):
            order = torch.randperm(4)
            loss = F.cross_entropy(network(x[order]), label[order])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step = epoch * BATCHES + batch + 1
            if step % 50 == 0:
                writer.add_scalar("train/loss", loss.item(), step)
                losses.append(loss.item())
        with torch.no_grad():
            scores = network(x)
            validated = F.cross_entropy(scores, label).item()
            accuracy = (scores.argmax(dim=1) == label).float().mean().item()
        writer.add_scalar("val/loss", validated, step)
        writer.add_scalar("val/accuracy", accuracy, step)
        if validated < best:
            best = validated
            state = {"model": network.state_dict(), "optimizer": optimizer.state_dict()}
            torch.save(state, folder / "best.pt")
        print(f"epoch {epoch + 1} loss {validated:.4f} accuracy {accuracy:.2f}")
    writer.close()
    draw(network, losses, folder)


@torch.no_grad()
def draw(network: nn.Module, losses: list[float], folder: Path) -> None:
    """Draw the loss and the regions of the two classes."""
    _, (left, right) = plt.subplots(1, 2, figsize=(8, 4))
    left.plot(losses)
    axis = torch.linspace(-0.5, 1.5, 100)
    places = torch.cartesian_prod(axis, axis)
    share = network(places).softmax(dim=1)[:, 1].view(100, 100)
    right.contourf(axis, axis, share.T)
    plt.savefig(folder / "xor.png", dpi=150)


if __name__ == "__main__":
    main()
