import base64
from html.parser import HTMLParser

import pytest

from nnlab.report.page import MOST_FRAMES, write_page

VOID = {"meta", "link", "img", "input", "br", "hr"}


class Reader(HTMLParser):
    """Collects elements and the text of each kind; counts what is left open."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: dict[str, str] = {}
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        for tag in {"page", *self.open}:
            self.text[tag] = f"{self.text.get(tag, '')} {data}"

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def page(folder) -> Reader:
    return Reader(write_page(folder).read_text(encoding="utf-8"))


def test_every_element_is_closed_in_its_place(page):
    assert page.open == []


def test_loads_nothing_from_anywhere(page, folder):
    for _, attributes in page.elements:
        for name in ("src", "href", "xlink:href", "action", "srcset", "data"):
            value = attributes.get(name) or "#"
            assert value.startswith(("data:", "#")), value
    assert "://" not in (folder / "report.html").read_text(encoding="utf-8")
    assert "@import" not in page.text["style"]


def test_contains_every_figure_once_with_a_text_for_those_who_cannot_see(page, folder):
    pictures = [base64.b64encode(p.read_bytes()) for p in folder.rglob("*.png")]
    sources = [image["src"] for image in page.all("img")]
    assert sorted(sources) == sorted(
        f"data:image/png;base64,{picture.decode()}" for picture in pictures
    )
    assert [image["alt"] for image in page.all("img")] == [
        "decision boundary, step 0",
        "decision boundary, step 50",
        "decision boundary, step 1,000",
        "decision boundary, the end, on test data",
        "feature maps, the end, on test data",
    ]


def test_has_a_slider_only_where_a_picture_was_drawn_over_training(page):
    (slider,) = page.all("input")
    assert (slider["min"], slider["max"], slider["value"]) == ("0", "3", "3")


def test_says_result_reference_remark_and_what_to_do_next(page):
    text = " ".join(page.text["page"].split())
    for part in (
        "mlp on xor complete 98.75 % test accuracy",
        "published 99.00 % target ≥ 98.00 % reached 98.75 % ✓ target met",
        "accuracy 98.75 % loss 0.04321 0.0512",
        "Four points, of which <all> are right.",
        "12.3 s parameters 1,234",
        "git · dirty no plugins a 1.0, b 2.0",
    ):
        assert part in text
    assert "nnlab test run=" in page.text["code"]
    assert "trainer.max_epochs=20" in page.text["code"]


def test_what_a_user_wrote_is_text_and_never_runs(page):
    assert '<script>alert("config")</script>' in page.text["code"]
    assert "alert" not in page.text["script"]
    assert len(page.all("script")) == 1


def test_secrets_of_the_config_and_the_overrides_do_not_reach_the_page(page):
    assert "api_key: '***'" in page.text["code"]
    assert "sk-" not in page.text["page"]


def test_draws_train_and_validation_in_one_frame_in_the_colour_of_the_page(page):
    names = [a["aria-label"] for a in page.all("div") if a.get("role") == "img"]
    assert names == [
        "loss over steps",
        "accuracy over steps",
        "learning rate over steps",
    ]
    assert len(page.all("svg")) == 3
    assert page.text["svg"].split().count("validation") == 2


def test_the_drawings_do_not_share_ids(page):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert "url(#" not in str(page.elements)


def test_a_failed_run_has_a_page_that_says_why(failed_folder):
    page = Reader(write_page(failed_folder).read_text(encoding="utf-8"))
    assert "the loss is nan at step <3>" in page.text["p"]
    assert "gpt on shakespeare" in page.text["h1"]
    assert not page.all("svg")
    assert not page.all("img")


def test_a_run_without_final_pictures_shows_those_of_its_training(folder):
    (folder / "figures/decision_boundary.png").unlink()
    page = Reader(write_page(folder).read_text(encoding="utf-8"))
    shown = [i["alt"] for i in page.all("img") if "shown" in i["class"].split()]
    assert shown == [
        "decision boundary, step 1,000",
        "feature maps, the end, on test data",
    ]


def test_of_very_many_pictures_the_page_keeps_the_first_the_last_and_some(folder):
    frames = folder / "figures/over_training"
    picture = (folder / "figures/feature_maps.png").read_bytes()
    for step in range(2000, 2100):
        (frames / f"decision_boundary_{step:08d}.png").write_bytes(picture)
    page = Reader(write_page(folder).read_text(encoding="utf-8"))
    moments = [i["data-moment"] for i in page.all("img")]
    assert len(moments) == MOST_FRAMES + 2
    assert moments[0] == "step 0"
    assert "step 2,099" in moments


def test_the_page_can_be_made_again(folder):
    first = write_page(folder).read_text(encoding="utf-8")
    assert (
        write_page(folder).read_text(encoding="utf-8").split("written by")[0]
        == (first.split("written by")[0])
    )
    assert sorted(p.name for p in folder.glob("report*")) == ["report.html"]


def test_a_text_is_shown_over_training_as_a_picture_is_and_escaped(folder):
    frames = folder / "figures/over_training"
    (frames / "sample_00000100.txt").write_text("ROMEO: <b>xq</b>", encoding="utf-8")
    (folder / "figures/sample.txt").write_text("ROMEO: But soft", encoding="utf-8")
    text = write_page(folder).read_text(encoding="utf-8")
    page = Reader(text)
    moments = [i["data-moment"] for i in page.all("pre") if "data-moment" in i]
    assert moments == ["step 100", "the end, on test data"]
    assert "ROMEO: &lt;b&gt;xq&lt;/b&gt;" in text
    assert "ROMEO: But soft" in text
