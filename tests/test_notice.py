"""A notice is one line on stderr, said by one process."""

from nnlab.notice import announce


def test_a_notice_is_one_line_on_stderr(capsys):
    announce("asking https://example.org for a")
    assert capsys.readouterr() == ("", "nnlab: asking https://example.org for a\n")


def test_of_several_processes_the_first_says_it(capsys, monkeypatch):
    monkeypatch.setattr("nnlab.notice.is_first", lambda: False)
    announce("asking https://example.org for a")
    assert capsys.readouterr() == ("", "")
