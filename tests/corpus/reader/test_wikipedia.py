import bz2

import pytest

from nnlab.corpus.document import Damage
from nnlab.corpus.reader.wikipedia import read
from nnlab.corpus.reader.wikitext import plain_text

CAP = 100_000
DUMP = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" xml:lang="en">
  <siteinfo><base>https://en.wikipedia.org/wiki/Main_Page</base></siteinfo>
  {pages}
</mediawiki>"""
PAGE = """<page><title>{title}</title><ns>{ns}</ns><id>1</id>{more}
  <revision><text xml:space="preserve">{text}</text></revision></page>"""


def page(title: str, text: str, ns: int = 0, more: str = "") -> str:
    return PAGE.format(title=title, text=text, ns=ns, more=more)


@pytest.fixture
def found(tmp_path):
    def find(*pages: str, cut: int = 0):
        packed = bz2.compress(DUMP.format(pages="".join(pages)).encode())
        file = tmp_path / "dump.xml.bz2"
        file.write_bytes(packed[: len(packed) - cut])
        return list(read(file, maximum_bytes=CAP))

    return find


def test_an_article_is_its_title_and_text_with_its_url(found):
    [document] = found(
        page("Ada Lovelace", "'''Ada''' wrote &lt;b&gt;programs&lt;/b&gt;.")
    )
    assert document.text == "Ada Lovelace\n\nAda wrote programs."
    assert document.url == "https://en.wikipedia.org/wiki/Ada_Lovelace"
    assert document.languages == ("en",)


def test_only_articles_are_documents(found):
    talk = page("Talk:Ada", "no", ns=1)
    redirect = page("A. Lovelace", "#REDIRECT [[Ada]]", more='<redirect title="Ada" />')
    assert [d.offset for d in found(talk, redirect, page("Ada", "yes"))] == [3]


def test_a_page_beyond_the_cap_is_left_out(found):
    damage, document = found(page("Long", "x" * (CAP + 1)), page("Ada", "yes"))
    assert (damage.kind, damage.offset) == ("oversized", 1)
    assert document.offset == 2


def test_a_dump_that_is_cut_keeps_what_came_before(found):
    many = [
        page(f"P{n}", " ".join(str(n * k * k) for k in range(9_000))) for n in range(40)
    ]
    items = found(*many, cut=20_000)
    assert isinstance(items[-1], Damage)
    assert "after page" in items[-1].reason
    assert len(items) > 2


def test_what_is_no_dump_is_said_so(tmp_path):
    file = tmp_path / "a.xml"
    for content in (b"", b"no xml", b"<html></html>"):
        file.write_bytes(content)
        [damage] = read(file, maximum_bytes=CAP)
        assert damage.kind == "damaged"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("[[Paris]] and [[Paris|the city]]", "Paris and the city"),
        ("a [https://a.org the site] b", "a the site b"),
        ("== History ==\nOnce", "History\nOnce"),
        ("* one\n** two", "one\ntwo"),
        ("{{Infobox|a={{b|c}}|d=}}Text", "Text"),
        ("{| class=x\n|-\n| a {{b}} || c\n|}\nText", "Text"),
        ("a<ref name=x>[[b]]</ref>c<ref name=x />d", "acd"),
        ("a<!-- b\n\n -->c", "ac"),
        ("[[File:A.jpg|thumb|A [[cat]] sits]]Text[[Category:Cats]]", "Text"),
        ("''a'' '''b''' &amp; c&nbsp;d", "a b & c\xa0d"),
        ("a {{never closed\n\nb", "a \n\nb"),
        ("x }} y |} z", "x }} y |} z"),
    ],
)
def test_markup_becomes_what_a_reader_sees(markup, text):
    assert plain_text(markup) == text
