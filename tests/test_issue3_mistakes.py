"""What bad input gets, of the adder, the twins, the autoencoder and the GAN."""

import pytest

TWINS = "model=siamese data=digits_pairs data.held_out_classes="
MISTAKES = {
    "0 bits": ("model=lstm_adder data.bits=0", "data.bits=0 must be greater"),
    "bits of no number": ("model=lstm_adder data.bits=8.5", "data.bits=8.5 must be"),
    "more bits than any memory": ("model=lstm_adder data.bits=100000", "data.bits="),
    "more bits than this memory": (
        "model=lstm_adder data.bits=4096 data.train_pairs=900000",
        "11.1 GiB for so many pairs",
    ),
    "longer bits than memory": (
        "model=lstm_adder data.test_bits=[4096] data.long_test_pairs=900000",
        "GiB for so many pairs",
    ),
    "one class held out": (TWINS + "[3]", "is an odd number of classes (1)"),
    "an odd number held out": (TWINS + "[7,8,9]", "is an odd number of classes (3)"),
    "all held out": (TWINS + "[0,1,2,3,4,5,6,7,8,9]", "leaves 0 of 10 classes"),
    "all but one held out": (TWINS + "[0,1,2,3,4,5,6,7,8]", "leaves 1 of 10 classes"),
    "a class beyond held out": (TWINS + "[3,10]", "names the class 10"),
    "a negative class": (TWINS + "[-1,3]", "held_out_classes[0]=-1"),
    "half a class": (TWINS + "[0.5,3]", "held_out_classes[0]=0.5"),
    "a class twice": (TWINS + "[3,3]", "names a class twice"),
    "a class beyond": (
        "model=siamese data=digits_pairs data.classes=[4,10]",
        "names the class 10; the classes are 0, 1",
    ),
    "a class beyond, of images": (
        "model=mlp data=digits data.classes=[4,10]",
        "names the class 10",
    ),
    "a code of 0": ("model=autoencoder data=digits model.code_size=0", "code_size=0"),
    "a latent of 0": (
        "model=autoencoder data=digits model.variant=variational model.code_size=0",
        "model.code_size=0 must be greater",
    ),
    "an embedding of 0": (
        "model=siamese data=digits_pairs model.embedding_size=0",
        "model.embedding_size=0",
    ),
    "noise of 0": ("model=gan data=digits model.code_size=0", "model.code_size=0"),
    "images of another size": (
        "model=lenet5 data=digits data.image_size=32",
        "model=lenet5 takes Float (batch 1 28 28) and data=digits gives",
    ),
    "players of two sizes": (
        "model=gan data=digits model.height=32",
        "model.height=32 and model.width=28 make the generator draw other images",
    ),
    "a size that does not halve": (
        "model=gan data=digits data.image_size=30",
        "try model.variant=mlp",
    ),
    "pixels beyond [0, 1]": ("model=autoencoder data=digits data.mean=0.3", "pixels"),
}


@pytest.mark.parametrize(("words", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_gets_one_sentence(words, said, refused):
    refused(words, said)
