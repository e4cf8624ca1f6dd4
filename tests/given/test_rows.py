import pytest

from nnlab.errors import UserError
from nnlab.given.given import Pictures, Texts
from nnlab.given.rows import read_rows


def read(text, **settings):
    return read_rows(Texts(["f.csv"], [text]), **{"columns": 2, **settings})


@pytest.mark.parametrize("text", ["0,1\n2,3", "0;1\n2;3", "0\t1\n2\t3\n", "0 1\n\n2 3"])
def test_rows_are_read_whatever_divides_them(text):
    rows = read(text)
    assert rows.numbers.tolist() == [[0, 1], [2, 3]]
    assert rows.labels.tolist() == [-1, -1]


def test_a_header_is_left_out_and_a_column_of_labels_taken_off():
    rows = read("a,Label,b\n5,1,6\n7,0,8\n", classes=2)
    assert rows.numbers.tolist() == [[5, 6], [7, 8]]
    assert rows.labels.tolist() == [1, 0]
    assert rows.names == ["f.csv, line 2", "f.csv, line 3"]


def test_each_file_may_have_a_header_of_its_own():
    texts = Texts(["1.csv", "2.csv"], ["a,b\n1,2\n", "label,a,b\n1,3,4\n"])
    rows = read_rows(texts, columns=2)
    assert (rows.numbers.tolist(), rows.labels.tolist()) == ([[1, 2], [3, 4]], [-1, 1])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,2\n1,2,3", "line 2: 3 numbers"),
        ("1,2\n1", "line 2: 1 number,"),
        ("1,2\n1,two", "line 2: 'two' is no finite number"),
        ("1,2\n1,nan", "'nan' is no finite number"),
        ("1,2\n1,", "line 2: '' is no"),
        ("label,a,b\n2,1,1", "line 2: there is no class 2; they go from 0 to 1"),
        ("label,a,b\n-3,1,1", "there is no class -3"),
        ("label,a,b\n0.5,1,1", "there is no class 0.5"),
        ("a,b\n", "has no row"),
    ],
)
def test_each_fault_names_its_line(text, said):
    with pytest.raises(UserError) as error:
        read(text, classes=2)
    assert said in str(error.value)


def test_a_picture_is_no_row():
    with pytest.raises(UserError, match="reads rows of 2 numbers"):
        read_rows(Pictures(["a.png"], []), columns=2)
