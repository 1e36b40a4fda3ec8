"""Two builds of equal inputs give the same bytes, whatever differs around them."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.images.conftest import MakeSite
from tests.images.site import TESTS, Site

pytestmark = pytest.mark.timeout(180)


def copied(site: Site, root: Site) -> None:
    """Write the same files in another order, with other times and another umask."""
    for path in [path for path in root.root.iterdir() if path.name not in ("build", ".fleet")]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    before = os.umask(0o077)
    try:
        for name in sorted([*TESTS, "pyproject.toml", ".gitignore"], reverse=True):
            path = root.write(name, (site.root / name).read_text("utf-8"))
            path.chmod(0o700 if os.access(site.root / name, os.X_OK) and name.endswith(".sh") else 0o600)
            os.utime(path, (1_000_000_000, 1_000_000_000))
    finally:
        os.umask(before)


@pytest.mark.parametrize("mode", ["per-worker", "shared"])
def test_another_clone_on_another_day_has_the_same_digests(make_site: MakeSite, mode: str) -> None:
    """Every layer and every manifest: another folder, other times, another order, another umask, another repository."""
    one = make_site("one", settings=(f"images.mode={mode}",))
    two = make_site("elsewhere/deeper".replace("/", "-"), settings=(f"images.mode={mode}",))
    copied(one, two)

    one.push()
    two.push()

    def digests(site: Site) -> list[str]:
        return [reference.partition("@")[2] for reference in site.pushed.by_slot]

    assert digests(one) == digests(two)


def test_the_runs_name_and_the_store_do_not_enter(make_site: MakeSite) -> None:
    """Images depend on the plan and the files, not on where results go."""
    site = make_site()
    site.push()
    before = site.pushed.by_slot

    site.push(f"store.url={site.root / 'another store'}", "project.name=other")

    titles = {site.image().config["config"]["Labels"]["org.opencontainers.image.title"]}
    assert titles == {"other tests"}
    assert site.pushed.by_slot != before
    site.push(f"store.url={site.root / 'a third'}")
    assert site.pushed.by_slot == before
