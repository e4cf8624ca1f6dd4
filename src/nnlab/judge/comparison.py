"""Drawn images beside real ones, on a scale whose points are known."""

from collections.abc import Callable, Iterable

from jaxtyping import Float
from torch import Tensor

from nnlab.judge.classifier import Judge
from nnlab.judge.frechet import frechet_distance
from nnlab.judge.verdict import Verdict, blurred, noise_like
from nnlab.numerals import hundredths

Images = Iterable[Float[Tensor, "batch 1 height width"]]


class Comparison:
    """Looks at a stage's real images, batch by batch, then at drawn ones.

    Args:
        judge: whose features and classes they are compared by.
        has_scale: whether to look at the real images blurred, and at noise, as well.
    """

    def __init__(self, judge: Judge, *, has_scale: bool) -> None:
        self.judge, self.has_scale = judge, has_scale
        self.real = Verdict(judge)
        self.known = {"blurred": Verdict(judge), "noise": Verdict(judge)}
        self.numbers: dict[str, float] = {}

    def look(self, image: Float[Tensor, "batch 1 height width"]) -> None:
        """Take in a batch of real images."""
        self.real.look([image])
        if self.has_scale:
            self.known["blurred"].look([blurred(image)])
            self.known["noise"].look([noise_like(image)])

    def of(
        self, drawn: Images, over_ranks: Callable[[Tensor], Tensor]
    ) -> dict[str, float]:
        """Return by name what there is to say of the images drawn."""
        real, verdict = self.real.summed(over_ranks), Verdict(self.judge).look(drawn)
        shares = verdict.shares.tolist()
        self.numbers = {
            "fid": frechet_distance(real.moments, verdict.moments),
            "share_of_rarest_digit": min(shares),
        }
        if self.has_scale:
            self.numbers["classifier_score"] = verdict.classifier_score
            self.numbers["classifier_score_of_real"] = real.classifier_score
            for digit, share in enumerate(shares):
                self.numbers[f"share_of_{digit}"] = share
            others = Verdict(self.judge).look(self.judge.examples())
            points = {
                name: each.summed(over_ranks) for name, each in self.known.items()
            }
            for name, each in {"real": others, **points}.items():
                distance = frechet_distance(real.moments, each.moments)
                self.numbers[f"fid_of_{name}"] = distance
        return self.numbers

    def sentence(self) -> str:
        """Say it, the scale beside it, and which judge it was."""
        assert self.has_scale
        n = self.numbers
        digits = {
            name: share
            for name, share in n.items()
            if name.removeprefix("share_of_").isdigit()
        }
        rarest = min(digits, key=lambda name: digits[name]).removeprefix("share_of_")
        share = hundredths(n["share_of_rarest_digit"], 1)
        return (
            f"FID {n['fid']:.1f} from the test images, where other real ones are at "
            f"{n['fid_of_real']:.1f}, blurred ones at {n['fid_of_blurred']:,.0f} and "
            f"noise at {n['fid_of_noise']:,.0f}; the rarest digit, {rarest}, is "
            f"{share}% of the samples. FIDs compare under one judge, a classifier of "
            f"these data; the hash of this one's weights is {self.judge.fingerprint}."
        )
