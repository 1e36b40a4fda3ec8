"""A user's dodo.py: its tasks, its options, its configure function, its own modules of our names."""

from __future__ import annotations

import pytest

from tests.graph.conftest import SCRIPT, Project

MIGRATE = """
def note(text):
    with open("notes", "a") as file:
        file.write(text + "\\n")

def task_migrate():
    return {"actions": [(note, ["migrate"])]}

def task_publish():
    return {"actions": [(note, ["publish"])], "task_dep": ["gather"]}
"""


def test_either_may_depend_on_the_other(project: Project) -> None:
    """`needs` adds an edge to a task of dodo.py; its tasks may depend on ours."""
    project.write("dodo.py", MIGRATE + "def configure(fleet):\n    fleet.tasks['launch'].needs('migrate')\n")

    project.doit("publish")

    assert ["compile", "collect", "group", "launch", "gather"] == project.ran()
    assert "migrate\npublish\n" == (project.folder / "notes").read_text()
    assert {"migrate", "publish", "compile"} <= set(project.doit("list", "-q").stdout.split())
    assert set() == project.realised()


def test_a_task_that_is_not_selected_realises_nothing(project: Project) -> None:
    """Another user's task that depends on ours costs nothing while it is not selected."""
    project.write("dodo.py", MIGRATE)

    project.doit("migrate")

    assert set() == project.realised()


def test_dependencies_found_while_running_are_realised_then(project: Project) -> None:
    """`calc_dep` and delayed creators may name tasks of ours that nobody knew of before."""
    project.write(
        "dodo.py",
        "from doit import create_after\n"
        "def task_find():\n    return {'actions': [lambda: {'task_dep': ['group']}]}\n"
        "def task_dynamic():\n    return {'actions': ['true'], 'calc_dep': ['find']}\n"
        "@create_after(executed='find')\n"
        "def task_later():\n    return {'actions': ['true'], 'task_dep': ['collect']}\n",
    )

    project.doit("dynamic")
    assert ["compile", "collect", "group"] == project.ran()
    project.doit("-a", "later")
    assert ["compile", "collect"] == project.ran()


def test_our_target_is_a_file_dependency(project: Project) -> None:
    """A user's file_dep on a declared target of ours is an edge."""
    project.write("build/x.plan", "")
    project.write("dodo.py", "def task_read():\n    return {'actions': ['true'], 'file_dep': ['build/x.plan']}\n")

    project.doit("read")

    assert ["compile", "collect", "group"] == project.ran()


def test_its_own_variables_stay_its_own(project: Project) -> None:
    """Undotted `name=value` reaches get_var; ours do not; unknown dotted ones are errors."""
    project.write(
        "dodo.py",
        "from doit import get_var\nprint(get_var('mine'), get_var('workers.count'), get_var('odd', 'none'))\n",
    )

    assert "x=1 None none\n" in project.doit("list", "mine=x=1", "workers.count=3").stdout
    assert "there is no setting 'workers.cuont'" in project.doit("workers.cuont=3", code=3).stderr


def test_its_configuration_comes_first(project: Project) -> None:
    """DOIT_CONFIG and [tool.doit] beat ours; `default_tasks` may stand in either."""
    project.doit()
    assert (project.folder / ".fleet" / "doit.db").exists()

    project.write("dodo.py", "DOIT_CONFIG = {'default_tasks': ['compile'], 'dep_file': 'mine.db'}\n")
    project.doit()
    assert ["compile"] == project.ran()
    assert (project.folder / "mine.db").exists()

    (project.folder / "dodo.py").unlink()
    text = (project.folder / "pyproject.toml").read_text()
    project.write("pyproject.toml", text.replace("[tool.doit]\n", "[tool.doit]\ndefault_tasks = ['image:1']\n"))
    project.doit()
    assert ["image:1"] == project.ran()


def test_equal_names_are_refused(project: Project) -> None:
    """A task of dodo.py may not have the name of one of ours."""
    project.write("dodo.py", "def task_launch():\n    return {'actions': []}\n")

    assert "'launch' of dodo.py has the name" in project.doit("list", code=3).stderr


@pytest.mark.parametrize("imported", ["import pipeline, extensions.deep", "pass"])
def test_its_own_modules_of_our_names_do_no_harm(project: Project, imported: str) -> None:
    """Imported with dodo.py or only by a running task, the user's `pipeline` is theirs and ours stays ours."""
    project.write("pipeline.py", "NAME = 'their pipeline'\nprint('loaded')\n")
    project.write("extensions/__init__.py", "")
    project.write("extensions/deep.py", "NAME = 'their extension'\n")
    project.write(
        "dodo.py",
        f"{imported}\n"
        "def say():\n"
        "    import pipeline, extensions.deep\n"
        "    print(pipeline.NAME, extensions.deep.NAME)\n"
        "def task_say():\n"
        "    import pipeline\n"
        "    return {'actions': [say], 'doc': pipeline.NAME, 'task_dep': ['gather'], 'verbosity': 2}\n",
    )

    answer = project.doit("say")

    assert "their pipeline their extension\n" in answer.stdout
    assert 1 == answer.stdout.count("loaded\n")
    assert "gather" in project.ran()
    assert "their pipeline" in project.doit("list").stdout


def test_options_for_place_and_file_work(project: Project) -> None:
    """`-f`, `-d` and `-k` mean what they mean to doit."""
    project.write("sub/other.py", "def task_mine():\n    return {'actions': ['pwd'], 'verbosity': 2}\n")
    project.write("sub/sources", "1")
    project.write("dodo.py", "import doit\ndef task_here():\n    print(doit.get_initial_workdir())\n")
    project.write("sub/deep/x", "")

    assert f"{project.folder}/sub\n" in project.doit("-f", "sub/other.py", "mine").stdout
    assert ["sub"] == project.logged("composed")
    assert f"{project.folder}\n" in project.doit("-d", ".", "-f", "sub/other.py", "mine").stdout
    seeking = project.doit("-k", "list", tool=SCRIPT, within="sub/deep")
    assert f"{project.folder}/sub/deep\n" in seeking.stdout
    assert ["project"] == project.logged("composed")
    assert "there is no dodo file 'absent.py'" in project.doit("list", "-f", "absent.py", code=3).stderr


def test_projects_without_our_loader_keep_plain_doit(project: Project) -> None:
    """Our run command steps aside: doit's reporter, exit codes and state file."""
    project.write("pyproject.toml", '[tool.doit.plugins.command]\nrun = "pipeline.graph.run:Run"\n')
    project.write("dodo.py", "def task_bad():\n    return {'actions': ['false']}\n")

    answer = project.doit(code=1)

    assert ".  bad\nTaskFailed - taskid:bad" in answer.stdout
    assert not (project.folder / ".fleet").exists()
    assert [] == project.logged("composed")
    assert "-n wants" not in project.doit("-n", code=3).stderr
