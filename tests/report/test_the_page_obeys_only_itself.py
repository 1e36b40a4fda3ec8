"""Claims about `index.html`: its data, and what a real browser makes of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipeline.model.runs import MergedRun
from pipeline.report.html import HtmlReport
from pipeline.report.html_data import Limits
from tests.engines import require
from tests.report.samples import failed, merged, plain_line, result, troubled

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
in_a_browser = pytest.mark.usefixtures("browser")


@pytest.fixture
def browser() -> str:
    """Chromium, or the reason why the test does not run."""
    return require(BROWSER, "no Chromium here: apt-get install chromium")


QUIET = ("quic", "background-networking", "component-update", "sync", "gpu")
FLAGS = ["--headless", "--no-sandbox", "--no-first-run", *(f"--disable-{each}" for each in QUIET)]


def page(run: MergedRun, directory: Path, **limits: int) -> Path:
    """The page of a run."""
    (path,) = HtmlReport(directory, reproduce=plain_line, limits=Limits(**limits)).finish(run)
    return Path(path)


def data(path: Path) -> Any:
    """What the page shows, as its script reads it."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', path.read_text("utf-8"), re.DOTALL)
    assert found
    return json.loads(found.group(1))


def seen(path: Path, profile: Path) -> str:
    """The document after a browser has run the page."""
    command = [
        str(BROWSER),
        *FLAGS,
        "--virtual-time-budget=4000",
        f"--user-data-dir={profile}",
        "--dump-dom",
        path.as_uri(),
    ]
    return subprocess.run(command, check=True, capture_output=True, timeout=50).stdout.decode("utf-8", "replace")


def test_the_page_is_whole_in_one_file(tmp_path: Path) -> None:
    """It is read offline, from an archive, years later: no address stands in it."""
    text = page(merged(result(), failed()), tmp_path).read_text("utf-8")

    assert not re.search(r"""(src|href)\s*=\s*["']?[^"'#]|url\(|@import|https?://""", text)


def test_nothing_in_the_data_can_end_the_script_element(tmp_path: Path) -> None:
    """Names and output are hostile: only our own tags are in the file."""
    path = page(troubled(), tmp_path)
    text = path.read_text("utf-8")

    assert text.count("<script") == 2
    assert text.count("</script") == 2
    assert data(path)["rows"]


def test_only_the_pages_own_script_may_run(tmp_path: Path) -> None:
    """A policy by digest, without any exception."""
    text = page(merged(result()), tmp_path).read_text("utf-8")

    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    assert "default-src 'none'" in policy.group(1)
    assert "unsafe" not in policy.group(1)


def test_details_are_kept_for_what_a_person_asks_about(tmp_path: Path) -> None:
    """Bad, flaky and skipped ones; what simply passed needs none."""
    run = merged(result(), failed("unit::bad"), result("unit::flaky", tries=2, earlier=(failed("unit::flaky"),)))
    shown = data(page(run, tmp_path))

    numbers = {row[1]: row[8] for row in shown["rows"]}
    assert numbers["tests/test_a.py::test_x"] == -1
    assert shown["details"][numbers["bad"]]["reproduce"] == "pytest bad"
    assert "E   assert 1 == 2" in shown["details"][numbers["flaky"]]["earlier"][0]


def test_a_large_run_is_cut_and_says_so(tmp_path: Path) -> None:
    """What matters comes first, and nobody is left to believe that this is all."""
    run = merged(*[result(f"unit::t{each}") for each in range(50)], failed("unit::bad"))
    path = page(run, tmp_path, rows=10)

    names = [row[1] for row in data(path)["rows"]]
    assert len(names) == 10
    assert "bad" in names
    assert "This page shows 10 of 51 tests; junit.xml holds all." in path.read_text("utf-8")


def test_details_have_a_limit_and_the_page_says_so(tmp_path: Path) -> None:
    """A page of gigabytes would help nobody."""
    run = merged(*[failed(f"unit::t{each}", message="x" * 1000) for each in range(20)])
    path = page(run, tmp_path, details_bytes=5000)

    assert len(data(path)["details"]) < 5
    assert re.search(r"The details of 1\d tests did not fit", path.read_text("utf-8"))


@in_a_browser
def test_a_browser_shows_hostile_text_and_obeys_none_of_it(tmp_path: Path) -> None:
    """The title is ours, the texts are there as text, no element came from them."""
    document = seen(page(troubled(), tmp_path), tmp_path / "profile")

    assert 'data-ready="yes"' in document
    assert "<title>not good: run-1</title>" in document
    assert "hacked" in document
    assert document.count("<script") == 2
    assert "<img" not in document


@in_a_browser
def test_only_rows_that_are_looked_at_become_elements(tmp_path: Path) -> None:
    """Fifty thousand tests stay usable."""
    run = merged(*[result(f"unit::tests/test_a.py::test_{each}") for each in range(50_000)])
    document = seen(page(run, tmp_path), tmp_path / "profile")

    assert "50,000 of 50,000" in document
    assert 100 < document.count('class="name"') < 2000


@in_a_browser
def test_search_filter_order_and_details_work(tmp_path: Path) -> None:
    """A person finds one test of many; the page is driven by a script put in for this claim."""
    results = [result(f"unit::t{each}", seconds=each / 10) for each in range(30)]
    path = page(merged(*results, failed("unit::t_bad")), tmp_path)
    text = re.sub(r"<meta http-equiv.*?>", "", path.read_text("utf-8"))
    driver = """<script>
    const names = () => [...document.querySelectorAll("#rows .name")].map((each) => each.textContent).join(" ");
    const note = (key, value) => { document.body.dataset[key] = value; };
    document.querySelectorAll("#heads button")[2].click(); note("slowest", names().slice(0, 18));
    document.querySelector("#filters .v-failed").click(); note("failed", names());
    document.querySelector("#rows .name").click(); note("details", document.querySelector("#rows pre").textContent);
    document.querySelector("#filters .v-failed").click();
    byId("search").value = "T2"; byId("search").dispatchEvent(new Event("input"));
    setTimeout(() => note("found", String(names().split(" ").length)), 500);
    </script>"""
    path.write_text(text.replace("</body>", f"{driver}</body>"), "utf-8")
    document = seen(path, tmp_path / "profile")

    assert 'data-slowest="unit::t29 unit::t2' in document
    assert 'data-failed="unit::t_bad"' in document
    assert 'data-details="assert 1 == 2"' in document
    assert 'data-found="11"' in document
