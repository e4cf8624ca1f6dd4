def test_it_is_not_prepared_at_first(nnlab):
    answer = nnlab("model=gpt", "data=webtext", "tokenizer=byte")
    assert "is not prepared" in answer.err
