import torch

from nnlab.generate.specimen import specimen
from nnlab.tokenizer.char import Char


def tokenizer_of(text: str) -> Char:
    tokenizer = Char(special=())
    tokenizer.train([text])
    return tokenizer


def test_begins_a_line_where_there_are_lines(model):
    tokenizer = tokenizer_of("abcdefg\n")
    assert len(specimen(model, tokenizer, torch.tensor([3]))) == 300


def test_of_one_line_goes_on_from_the_first_token(model):
    tokenizer = tokenizer_of("abcdefgh")  # a book without a new line
    said = specimen(model, tokenizer, torch.tensor([3]))
    assert said[0] == tokenizer.decode([3])
    assert len(said) == 301
