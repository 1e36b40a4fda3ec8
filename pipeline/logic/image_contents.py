"""Which of the project's files enter an image. Pure; the patterns are those of settings, `**` is any folders."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

SECRETIVE: Final = re.compile(
    r"\.env(\..+)?|.*\.env|\.netrc|_netrc|\.pypirc|pip\.conf|pip\.ini|uv\.toml|\.npmrc|\.yarnrc(\.yml)?|auth\.json"
    r"|\.git-credentials|\.dockercfg|\.htpasswd|id_(rsa|dsa|ecdsa|ed25519)|.*\.(pem|key|p12|pfx|jks|keystore|kdbx)"
    r"|credentials(\.json)?|secrets?\.(toml|ya?ml|json|ini)|service[-_]account.*\.json|terraform\.tfstate.*|kubeconfig",
    re.IGNORECASE,
)
"""Names of files that usually hold secrets."""
SAMPLE: Final = re.compile(r".*\.(example|sample|template|dist)", re.IGNORECASE)
NEVER: Final = frozenset({".git", ".hg", ".svn", ".aws", ".ssh", ".docker", ".gnupg", ".kube"})
"""Folders whose content never enters."""


def looks_secret(name: str) -> bool:
    """Whether a file, by its path, usually holds secrets."""
    *folders, last = name.split("/")
    secretive = SECRETIVE.fullmatch(last) is not None and SAMPLE.fullmatch(last) is None
    return secretive or not NEVER.isdisjoint(folders) or last in NEVER


def chosen(
    names: Iterable[str], *, included: Iterable[str], excluded: re.Pattern[str], never: Sequence[str]
) -> tuple[list[str], list[str]]:
    """(names that enter, names left out because they look like secrets), sorted.

    `names` are the project's tracked and unignored files, `included` what the user named besides: those enter although
    they look like secrets. `never`: folders of ours.
    """
    named = {name for name in included if not _is_below(name, never) and not name.startswith(".git/")}
    others = {name for name in names if not excluded.fullmatch(name) and not _is_below(name, never)} - named
    secret = {name for name in others if looks_secret(name)}
    return sorted(named | (others - secret)), sorted(secret)


def _is_below(name: str, folders: Sequence[str]) -> bool:
    return any(name == folder or name.startswith(f"{folder}/") for folder in folders)
