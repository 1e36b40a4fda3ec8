"""The images that workers run: what they are built from, by whom, and what may enter them.

Reads nothing and builds nothing. Where they are pushed to is `registry`.
"""

from __future__ import annotations

from pipeline.settings import kinds
from pipeline.settings.choice import Choice
from pipeline.settings.collected import texts, variables
from pipeline.settings.declaration import nested, setting
from pipeline.settings.extension import Extension


class Step(Extension):
    """One of the four shared steps. Without a Dockerfile of yours we make its layers ourselves."""

    dockerfile = setting(kinds.Optional(kinds.path), "off")
    """A Dockerfile that takes the place of this step. It begins with `ARG BASE` and `FROM $BASE`, the image of the step
    before. "off": the step as it comes."""

    arguments = setting(variables, {})
    """Build arguments. Secrets are refused: what a build argument holds can be read from the image."""

    target = setting(kinds.text, "")
    """The stage of the Dockerfile to build. Empty: the last."""

    context = setting(texts, ())
    """Globs of project files that the Dockerfile may read (`COPY`, `ADD`). Nothing else is sent to the daemon, but the
    archive `<step>.tar` of what we would have added."""


class Images(Extension):
    """The images of workers."""

    mode = setting(Choice("per-worker", "shared"), "per-worker")
    """"per-worker": each worker has an image with its own bucket. "shared": one image holds all buckets, for places that
    pull slowly or count pulls."""

    builder = setting(Choice("direct", "docker"), "direct")
    """Who makes the shared layers: "direct", we write them straight to the registry, without a daemon; "docker": a Docker
    daemon builds the Dockerfiles that come with doit-fleet."""

    base = setting(kinds.text, "")
    """The image that all others stand on, with an interpreter for the project and for us (Python 3.11 or later). Empty:
    `python:<X.Y>-slim` with the version of the suites' interpreter. Named by digest, it is never looked up again."""

    platform = setting(kinds.text, "")
    """Platform of the images, like `linux/arm64`. Empty: this machine's."""

    python = setting(kinds.text, "")
    """Path in the base image of the interpreter that the project runs in. Empty: `/usr/local/bin/python<X.Y>` where the image
    says that it is one of Docker's Python images, else `/usr/bin/python<X.Y>`."""

    dependencies = setting(Choice("auto", "lock", "environment", "none"), "auto")
    """What the dependencies' layer is made of: "lock", the project's lock file; "environment", what the suites' interpreters
    have installed here; "none", the base image has all; "auto", the lock if there is one, else the environment."""

    include = setting(texts, ())
    """Globs of files for the images although they look like secrets or git ignores them, relative to the root."""

    exclude = setting(texts, ())
    """Globs of files that the images do without. Only tracked and unignored files of the project enter images in any
    case, and none that look like secrets."""

    environment = setting(variables, {})
    """Environment variables of the image. Secrets are refused: name them for a suite, in `env`."""

    user = setting(kinds.text, "65532:0")
    """User and group of the containers. Files in the images belong to 65532 and to group 0, which may write them, so any user
    of group 0 will do."""

    keep_runs = setting(kinds.whole, 3)
    """How many runs' images `sweep` leaves in the registry, the newest first."""

    base_step = nested(Step)
    dependencies_step = nested(Step)
    worker_step = nested(Step)
    tests_step = nested(Step)
