import torch
from hypothesis import given
from hypothesis import strategies as st

from nnlab.layer.attention_mask import (
    documents_of,
    looking_back,
    places_within,
    within_documents,
)

END = 9
TEXT = [1, 2, END, 3, END, END, 4, 5]
texts = st.lists(st.integers(7, END), min_size=1, max_size=12)


def test_an_end_of_text_is_the_last_token_of_its_document():
    found = documents_of(torch.tensor([TEXT]), END)
    assert found.tolist() == [[0, 0, 0, 1, 1, 2, 3, 3]]


def test_places_begin_anew_with_each_document():
    found = places_within(documents_of(torch.tensor([TEXT]), END))
    assert found.tolist() == [[0, 1, 2, 0, 1, 0, 0, 1]]


@given(texts)
def test_a_token_sees_itself_and_those_before_it_since_the_last_end(text):
    documents = documents_of(torch.tensor([text]), END)
    mask = within_documents(documents)[0, 0]
    for query in range(len(text)):
        for key in range(len(text)):
            sees = key <= query and END not in text[key:query]
            assert bool(mask[query, key]) is sees


@given(texts)
def test_a_place_is_the_number_of_other_tokens_that_are_seen(text):
    documents = documents_of(torch.tensor([text]), END)
    seen = within_documents(documents)[:, 0].sum(dim=2)
    assert torch.equal(places_within(documents), seen - 1)


def test_one_document_alone_is_seen_as_without_any():
    documents = documents_of(torch.ones(2, 5, dtype=torch.int64), END)
    back = looking_back(5, 5, torch.zeros(1))
    assert (within_documents(documents) == back).all()
