"""Every mistake of every layer is told in one error, with its place and what was probably meant."""

from __future__ import annotations

import pytest

from pipeline.errors import EXIT_USAGE, SettingsError
from tests.extensions.sites import Site


def problems(site: Site, arguments: dict[str, str] | None = None, **environment: str) -> tuple[str, ...]:
    """Return the problems the layers have."""
    fleet = site.build(arguments, **environment)
    with pytest.raises(SettingsError) as caught:
        fleet.check()
    assert caught.value.exit_code == EXIT_USAGE
    return caught.value.problems


def test_all_layers_mistakes_come_in_one_error(site: Site) -> None:
    """Nobody has to run five times to find five typos."""
    site.write_home("workers.cuont = 1")
    site.write("team.toml", "\nrun.fail_fast = 'x'")
    site.write(
        "fleet.toml",
        'extends = "team.toml"\nworkers.launcher = "kubernets"\nkubernets.namespace = "x"\n[pools.big]\n'
        "[suites.unit]\npool = 'bgi'\n[profiles.nightly]\nworkers.count = 'many'",
    )
    found = problems(
        site,
        {"worker.count": "3", "suites.unti.retries": "1", "profile": "nightyl"},
        DOIT_FLEET__RUN__SED="1",
        DOIT_FLEET_WORKERS__COUNT="1",
    )

    expected = [
        "~/.config/doit-fleet.toml:1: unknown setting 'workers.cuont' (did you mean 'count'?)",
        "team.toml:2: setting 'run.fail_fast': expected false, true (the first one) or a whole number, got 'x'",
        "fleet.toml:2: setting 'workers.launcher': expected one of 'local', or another of the launchers installed, got 'kubernets': did you mean 'kubernetes'?",
        "fleet.toml:3: unknown setting 'kubernets' (did you mean 'kubernetes'?)",
        "fleet.toml:8: setting 'workers.count': expected a whole number from 0 up or \"auto\", got 'many'",
        "variable DOIT_FLEET__RUN__SED: unknown setting 'run.sed' (did you mean 'seed'?)",
        "variable DOIT_FLEET_WORKERS__COUNT: unknown variable 'DOIT_FLEET_WORKERS__COUNT' (did you mean 'DOIT_FLEET__WORKERS__COUNT'?)",
        "argument worker.count=3: unknown setting 'worker' (did you mean 'workers'?)",
        "argument profile=nightyl: there is no profile 'nightyl' (did you mean 'nightly'?)",
        "argument suites.unti.retries=1: there is no 'suites.unti' (did you mean 'unit'?)",
        "fleet.toml:6: there is no pool 'bgi' (did you mean 'big'?)",
        "fleet.toml:4: no suite uses pool 'big' (pools in use: none)",
    ]
    assert sorted(found) == sorted(expected)


def test_a_mistake_of_dodo_is_told_with_the_others(site: Site) -> None:
    """The file's typo may be the reason for dodo.py's trouble."""
    site.write("fleet.toml", "workers.cuont = 3")
    fleet = site.build()

    with pytest.raises(SettingsError) as caught, fleet.dodo():
        fleet.run.fail_fats = 1

    assert len(caught.value.problems) == 2
    assert "unknown setting 'run.fail_fats' (did you mean 'fail_fast'?)" in caught.value.problems[1]


def test_a_mistake_of_dodo_alone_is_itself(site: Site) -> None:
    """One problem is not dressed up as a list."""
    fleet = site.build()

    with (
        pytest.raises(SettingsError, match=r"test_mistakes.*\.py:\d+: setting 'workers.count': expected"),
        fleet.dodo(),
    ):
        fleet.workers.count = "many"


def test_nobody_reads_settings_that_have_problems(site: Site) -> None:
    """Forgetting to check does not make a typo silent."""
    site.write("fleet.toml", "workers.cuont = 3")
    fleet = site.build()
    with pytest.raises(SettingsError):
        fleet.check()

    with pytest.raises(SettingsError, match="cuont"):
        fleet.workers.count.get()


def test_settings_in_both_files_are_an_error(site: Site) -> None:
    """Which of two would win is nobody's guess."""
    site.write("pyproject.toml", "[tool.doit-fleet]\nrun.seed = 1")
    site.write("fleet.toml", "run.seed = 2")

    assert problems(site) == (
        "fleet.toml:1: settings in pyproject.toml ([tool.doit-fleet]) and in fleet.toml; keep one of them",
    )


def test_a_name_from_another_table_is_pointed_to(site: Site) -> None:
    """A setting given at the top is found below."""
    site.write("fleet.toml", "lease_seconds = 3\n")

    assert problems(site) == ("fleet.toml:1: unknown setting 'lease_seconds' (did you mean 'workers.lease_seconds'?)",)


@pytest.mark.parametrize("text", ["workers = 3", "suites.unit = 3", "suites = []", "profiles.x = 1", "profiles = 1"])
def test_a_table_that_is_none_is_an_error(site: Site, text: str) -> None:
    """With what was expected."""
    site.write("fleet.toml", text)

    (problem,) = problems(site)
    assert problem.startswith("fleet.toml:1: ")
    assert "expected a table" in problem


def test_broken_toml_is_an_error_with_its_file(site: Site) -> None:
    """And nothing else of that file is judged."""
    site.write("fleet.toml", "workers = ")

    (problem,) = problems(site)
    assert problem.startswith("fleet.toml: is no TOML: ")


def test_a_pool_only_a_profile_uses_is_used(site: Site) -> None:
    """Whether or not that profile is selected; and one that a suite would use but for an override."""
    site.write(
        "fleet.toml", "[pools.big]\n[pools.small]\n[suites.unit]\npool='small'\n[profiles.n]\nsuites.unit.pool = 'big'"
    )
    for arguments in ({}, {"profile": "n"}, {"suites.unit.pool": "default"}):
        site.build(arguments).check()


def test_a_shared_pool_need_not_be_used(site: Site) -> None:
    """A team's file serves many projects."""
    site.write("team.toml", "[pools.big]")
    site.write("fleet.toml", "extends = 'team.toml'")

    site.build().check()


def test_naming_an_element_that_nobody_makes_is_an_error(site: Site) -> None:
    """Found when dodo.py has ended, because it may make the element later."""
    fleet = site.build()
    with fleet.dodo():
        fleet.suites.named("unit", lambda suite: None)
        fleet.suites.add("unit")

    fleet = site.build()
    with (
        pytest.raises(SettingsError, match=r"test_mistakes.*\.py:\d+: there is no 'suites.unit' \(known: pytest\)"),
        fleet.dodo(),
    ):
        fleet.suites.named("unit", lambda suite: None)


def test_names_that_differ_too_little_are_an_error(site: Site) -> None:
    """A variable could not tell them apart."""
    site.write("fleet.toml", "[suites.a-b]\n[suites.A_B]")

    (problem,) = problems(site)
    assert "names 'a-b' (fleet.toml:1) and 'A_B' of suites differ too little" in problem


def test_secrets_on_no_layer_are_unknown_names(site: Site) -> None:
    """The variables that hold secrets are no settings."""
    site.build(DOIT_FLEET_SECRET_DB="x", DOIT_FLEETING="y").check()


def test_an_extension_may_give_defaults_only(site: Site) -> None:
    """Setting is for the user."""
    from extensions.fleet import Fleet
    from pipeline.settings.extension import Extension

    class Bossy(Extension):
        """Sets what is not its own."""

        def attach(self, fleet: Fleet) -> None:
            fleet.workers.count = 3

    with pytest.raises(SettingsError, match="may not be set by an extension"):
        Fleet.build(site.root, environment={}, arguments={}, home=site.home, extensions={"bossy": Bossy})


def test_an_extension_may_not_take_our_names(site: Site) -> None:
    """The error names the package's module."""
    from extensions.fleet import Fleet
    from pipeline.settings.extension import Extension

    with pytest.raises(SettingsError, match="extension 'workers' .* has the name of one of ours"):
        Fleet.build(site.root, environment={}, arguments={}, home=site.home, extensions={"workers": Extension})


@pytest.mark.parametrize("name", ["scope", "tasks", "My", "a-b", "a.b"])
def test_an_extensions_name_can_be_typed_in_every_layer(site: Site, name: str) -> None:
    """As an attribute, a variable and an argument."""
    from extensions.fleet import Fleet
    from pipeline.settings.extension import Extension

    with pytest.raises(SettingsError, match=f"extension '{name}'"):
        Fleet.build(site.root, environment={}, arguments={}, home=site.home, extensions={name: Extension})


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("DOIT_FLEET_WORKERS_COUNT", "DOIT_FLEET__WORKERS__COUNT"),
        ("DOIT_FLEET_SUITES__UNIT__PATHS", "DOIT_FLEET__SUITES__UNIT__PATHS"),
        ("doit_fleet__workers__count", "DOIT_FLEET__WORKERS__COUNT"),
    ],
)
def test_a_variable_that_nearly_has_our_prefix_is_an_error(site: Site, variable: str, meant: str) -> None:
    """It would have no effect, silently."""
    (problem,) = problems(site, None, **{variable: "1"})

    assert problem == f"variable {variable}: unknown variable {variable!r} (did you mean {meant!r}?)"


def test_a_setting_may_not_hide_the_machinery() -> None:
    """Noticed when the class is made, by its author."""
    from pipeline.settings import kinds
    from pipeline.settings.declaration import setting
    from pipeline.settings.extension import Extension

    with pytest.raises(TypeError, match=r"Bad may not declare \['parent'\]"):
        type("Bad", (Extension,), {"parent": setting(kinds.text, "")})


def test_an_extensions_action_on_each_element_gives_defaults_only(site: Site) -> None:
    """Even though it is applied while dodo.py runs, whose own right to set stays untouched."""
    from extensions.fleet import Fleet
    from extensions.suites import Suite
    from pipeline.settings.extension import Extension

    class Polite(Extension):
        """Gives a default."""

        def attach(self, fleet: Fleet) -> None:
            fleet.suites.each(lambda suite: suite.retries.convention(2))

    class Bossy(Extension):
        """Sets what is not its own."""

        def attach(self, fleet: Fleet) -> None:
            def overrule(suite: Suite) -> None:
                suite.retries = 3

            fleet.suites.each(overrule)

    def build(kind: type[Extension]) -> Fleet:
        return Fleet.build(site.root, environment={}, arguments={}, home=site.home, extensions={"guest": kind})

    with (polite := build(Polite)).dodo():
        assert polite.suites.pytest.retries.peek() == 2
        polite.suites.pytest.retries = 1
    assert polite.suites.pytest.retries.get() == 1
    with pytest.raises(SettingsError, match="may not be set by an extension"):
        build(Bossy).check()
