"""The page, driven in a real browser: it sorts, filters, and shows a run on a click."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from nnlab.leaderboard.answer import answer
from nnlab.leaderboard.curves import bands
from nnlab.leaderboard.entries import entries_of
from nnlab.leaderboard.table import TAKEN
from nnlab.report.past_runs import past_runs

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")

# What a hand would do, in the page itself; what it saw then goes into the title.
HAND = """
<script>{
const names = () => [...document.querySelectorAll("#board tbody tr")]
  .map((row) => row.children[1].textContent);
const click = (where) => where.click();
const head = (key) => document.querySelector(`#board th[data-key="${key}"] button`);
const seen = { first: names() };
click(head("parameters")); seen.by_parameters = names();
click(head("parameters")); seen.by_parameters_again = names();
click(head("name")); seen.by_name = names();
const filter = document.getElementById("filter");
filter.value = "LENET"; filter.dispatchEvent(new Event("input"));
seen.filtered = names();
seen.curves_filtered = document.querySelectorAll("#curves path").length;
filter.value = ""; filter.dispatchEvent(new Event("input"));
seen.curves = document.querySelectorAll("#curves path").length;
seen.points = document.querySelectorAll("#parameters circle").length;
seen.hidden_before = document.getElementById("one").hidden;
click(document.querySelector("#board tbody tr"));
seen.hidden_after = document.getElementById("one").hidden;
seen.one = document.querySelector("#one h2").textContent;
seen.runs = document.querySelectorAll("#one path").length;
const links = [...document.querySelectorAll("#one a")];
seen.links = links.map((a) => a.getAttribute("href"));
click(document.querySelector("#board tbody tr"));
seen.hidden_again = document.getElementById("one").hidden;
document.title = JSON.stringify(seen);
}</script>
"""

FACTS = {"command": "nnlab compare model=mlp,lenet5", "budget": "50,000 parameters"}


@pytest.fixture
def page(two_models, tmp_path) -> Path:
    from rich.console import Console

    answer(
        past_runs(Path("outputs")), tmp_path / "outputs", Console(), None, facts=FACTS
    )
    return tmp_path / "outputs/sweep.html"


def in_a_browser(page: Path, added: str, tmp_path: Path) -> str:
    """Return what a browser makes of the page, with something added to it."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("needs Chromium")
    driven = page.with_name("driven.html")
    text = page.read_text(encoding="utf-8")
    driven.write_text(text.replace("</body>", added + "</body>"), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    options.append(f"--user-data-dir={tmp_path / 'profile'}")
    done = subprocess.run(
        [browser, *options, driven.as_uri()],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return done.stdout


def test_the_page_does_what_a_hand_asks_of_it(page, tmp_path):
    drawn = in_a_browser(page, HAND, tmp_path)
    title = re.search("<title>(.*?)</title>", drawn)
    assert title, drawn
    seen = json.loads(title[1])
    mlp, lenet5 = "model=mlp", "model=lenet5"
    assert seen["first"] == [lenet5, mlp]
    assert seen["by_parameters"] == [mlp, lenet5]
    assert seen["by_parameters_again"] == [lenet5, mlp]
    assert seen["by_name"] == [lenet5, mlp]
    assert seen["filtered"] == [lenet5]
    assert (seen["curves_filtered"], seen["curves"]) == (2, 4)  # a band and a line each
    assert seen["points"] == 2
    assert (seen["hidden_before"], seen["hidden_after"]) == (True, False)
    assert seen["hidden_again"]
    assert seen["one"] == "model=lenet5: val/accuracy of each run"
    assert seen["runs"] == 3
    links = [f"lenet5{seed}/report.html" for seed in (1, 2, 3, 4)]
    assert seen["links"] == links


def test_the_table_is_read_without_javascript(page):
    text = page.read_text(encoding="utf-8")
    body = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    head, rows = re.findall(r"<t(?:head|body)>(.*?)</t(?:head|body)>", body, re.DOTALL)
    headings = re.findall(r"<button[^>]*>(.*?)</button>", head)
    assert headings == ["#", "entry", "test/accuracy", "seeds", *TAKEN]
    cells = re.findall(r"<td>(.*?)</td>", rows)
    assert cells[:5] == ["1", "model=lenet5", "97.2 ± 5.0 %", "3 (1 failed)", "61.7 k"]


def test_the_page_says_how_its_runs_were_made(page):
    text = page.read_text(encoding="utf-8")
    assert all(said in text for said in FACTS.values())


def test_an_accuracys_axis_ends_at_100_percent(page, tmp_path):
    # 97.2 ± 5.0 %, whose interval ends at 102.2.
    drawn = in_a_browser(page, "", tmp_path)
    points = re.search(r'id="parameters">(.*?)</section>', drawn, re.DOTALL)[1]
    texts = re.findall(r">([\d.]+) %</text>", points)
    assert max(map(float, texts)) == 100
    heights = [float(y) for y in re.findall(r' y[12]="([\d.-]+)"', points)]
    assert min(heights) == pytest.approx(12), "the frame's top"


def test_the_page_is_one_file_that_loads_nothing(page):
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=.(?!data:)", text)
    assert "url(" not in text


def test_a_name_cannot_end_the_script(made_up, tmp_path):
    from rich.console import Console

    for number, lr in enumerate(("</script><b>", "x")):
        made_up(f"r{number}", "mlp", 1, 0.5, {"lr": lr})
    answer(past_runs(Path("outputs")), tmp_path / "there", Console(), None, facts=FACTS)
    text = (tmp_path / "there/sweep.html").read_text(encoding="utf-8")
    assert "</script><b>" not in text
    assert text.count("</script>") == 2


def test_a_band_is_the_mean_the_least_and_the_most_of_the_seeds(made_up):
    made_up("a", "mlp", 1, 0.4)
    made_up("b", "mlp", 2, 0.8)
    (entry,) = entries_of(past_runs(Path("outputs")), "test/accuracy")
    band = bands(entry)["val/accuracy"]
    assert band["steps"] == [0, 5, 10, 15, 20]
    assert band["least"] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert band["most"] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    assert band["mean"] == pytest.approx([0, 0.15, 0.3, 0.45, 0.6])


def test_a_band_ends_with_its_shortest_run(made_up):
    made_up("a", "mlp", 1, 0.4, steps=10)
    made_up("b", "mlp", 2, 0.8, steps=20)
    (entry,) = entries_of(past_runs(Path("outputs")), "test/accuracy")
    assert bands(entry)["val/accuracy"]["steps"][-1] == 10
