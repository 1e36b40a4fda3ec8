"""What settings about Kubernetes may be: names, labels and parts of manifests, as its API takes them.

What only a cluster can know (whether a class or node is there) it does not look at.
"""

from __future__ import annotations

import re
from typing import Final

from pipeline.launchers.kubernetes.overlay import stacked
from pipeline.settings import kinds
from pipeline.settings.collected import Sequence
from pipeline.settings.foreign import Table, TextMap

NAME: Final = r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?"
LABEL: Final = r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?"
KEY: Final = rf"({NAME}/)?[A-Za-z0-9]([A-Za-z0-9._-]{{0,61}}[A-Za-z0-9])?"
OURS: Final = "doit-fleet.io/"


def _matching(pattern: str, form: str) -> kinds.Kind[str]:
    def parse(value: object) -> str:
        if not isinstance(value, str) or (value and re.fullmatch(pattern, value, re.ASCII) is None):
            raise ValueError
        return value

    return kinds.Simple(form, {"type": "string", "pattern": f"^({pattern})?$"}, parse)


name = _matching(NAME, "a name as Kubernetes has them (small letters, digits, '-' and '.')")
names = Sequence(name, form="a list of names")
claim = _matching(rf"{NAME}(/[^/\0]+)*", "the name of a claim, or claim/path/in/it")
owner = _matching(r"\d+(:\d+)?", 'a user by number, or user and group such as "65532:0"')
sweep_kind = _matching(
    rf"({NAME}/)?v[0-9a-z]+/[a-z0-9]+", 'group/version/plural such as "acme.io/v1/databases", or "v1/configmaps"'
)
sweep_kinds = Sequence(sweep_kind, form="a list of kinds")
queue = _matching(LABEL, "the name of a queue")


def _label(key: str, value: str) -> str:
    if not re.fullmatch(KEY, key, re.ASCII):
        return f"{key!r} is no label's name"
    return "" if re.fullmatch(LABEL, value, re.ASCII) else f"{value!r} is no label's value (63 letters, digits, '-_.')"


def _own_label(key: str, value: str) -> str:
    return f"{key!r}: what begins with {OURS!r} is ours" if key.startswith(OURS) else _label(key, value)


def _annotation(key: str, value: str) -> str:
    if key.startswith(OURS):
        return f"{key!r}: what begins with {OURS!r} is ours"
    return "" if re.fullmatch(KEY, key, re.ASCII) else f"{key!r} is no annotation's name"


def _reference(key: str, value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", key):
        return f"{key!r} is no variable's name"
    good = re.fullmatch(rf"{NAME}/[A-Za-z0-9._-]+", value, re.ASCII)
    return "" if good else f"{value!r} is not secret/key"


node_labels = TextMap("a table of nodes' labels", _label)
own_labels = TextMap("a table of labels", _own_label)
own_annotations = TextMap("a table of annotations", _annotation)
references = TextMap('a table of "secret/key" by variable', _reference)

toleration = Table(
    'a toleration such as { key = "spot", operator = "Exists" }',
    ("key", "operator", "value", "effect", "tolerationSeconds"),
)
tolerations = Sequence(toleration, form="a list of tolerations")
spread = Table(
    'a constraint such as { maxSkew = 1, topologyKey = "kubernetes.io/hostname", whenUnsatisfiable = "ScheduleAnyway" }',
    (
        "maxSkew",
        "topologyKey",
        "whenUnsatisfiable",
        "labelSelector",
        "minDomains",
        "nodeAffinityPolicy",
        "nodeTaintsPolicy",
        "matchLabelKeys",
    ),
    needs=("maxSkew", "topologyKey", "whenUnsatisfiable"),
)
spreads = Sequence(spread, form="a list of topology spread constraints")
affinity = Table("an affinity", ("nodeAffinity", "podAffinity", "podAntiAffinity"), join=stacked)
MOUNT_WORDS: Final = ("name", "mountPath", "subPath", "subPathExpr", "readOnly", "mountPropagation")
SOURCES: Final = (
    "configMap", "secret", "emptyDir", "persistentVolumeClaim", "projected", "downwardAPI", "ephemeral", "csi", "nfs",
    "hostPath", "image",
)  # fmt: skip
volume = Table(
    'a volume such as { mountPath = "/data", configMap = { name = "data" } }',
    (*MOUNT_WORDS, *SOURCES),
    needs=("mountPath",),
)
volumes = Sequence(volume, form="a list of volumes")
template = Table("a part of a pod template: metadata, spec", ("metadata", "spec"), join=stacked)
