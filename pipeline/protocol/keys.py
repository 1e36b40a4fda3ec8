"""Where the objects of a run lie in the store. Names only: it must not know what is in them."""

from __future__ import annotations


def run(name: str) -> str:
    """Everything of one run."""
    return f"runs/{name}/"


def plan(name: str) -> str:
    """The frozen plan."""
    return f"runs/{name}/plan"


def agents(name: str) -> str:
    """Terms of agents, by number."""
    return f"runs/{name}/agents/"


def agent(name: str, term: int) -> str:
    """One term; fixed width, so that listings sort in order."""
    return f"runs/{name}/agents/{term:06d}"


def leaves(name: str) -> str:
    """Terms whose agents have left others to carry on."""
    return f"runs/{name}/left/"


def leave(name: str, term: int) -> str:
    """One such term."""
    return f"runs/{name}/left/{term:06d}"


def signs(name: str) -> str:
    """Signs that agents live."""
    return f"runs/{name}/signs/"


def sign(name: str, nonce: str) -> str:
    """One agent's."""
    return f"runs/{name}/signs/{nonce}"


def conditions(name: str, term: int) -> str:
    """What workers of that term need to know that live elsewhere."""
    return f"runs/{name}/conditions/{term:06d}"


def workers(name: str) -> str:
    """Births."""
    return f"runs/{name}/workers/"


def worker(name: str, worker: str) -> str:
    """One birth."""
    return f"runs/{name}/workers/{worker}"


def hirings(name: str) -> str:
    """Names that leaders have given to workers whose places may be replaced by others."""
    return f"runs/{name}/hired/"


def hiring(name: str, worker: str) -> str:
    """One of them."""
    return f"runs/{name}/hired/{worker}"


def beats(name: str) -> str:
    """Heartbeats."""
    return f"runs/{name}/beats/"


def beat(name: str, worker: str) -> str:
    """One heartbeat."""
    return f"runs/{name}/beats/{worker}"


def claims(name: str) -> str:
    """Claims of all buckets."""
    return f"runs/{name}/claims/"


def claim(name: str, bucket: int, batch: int, attempt: int) -> str:
    """One batch attempt."""
    return f"runs/{name}/claims/{bucket}/{batch:06d}.{attempt}"


def read_claim(key: str) -> tuple[int, int]:
    """(batch, attempt) of a claim's key."""
    batch, attempt = key.rsplit("/", 1)[1].split(".")
    return int(batch), int(attempt)


def journal(name: str, worker: str) -> str:
    """One worker's journal."""
    return f"runs/{name}/journal/{worker}/"


def tombs(name: str) -> str:
    """Tombstones."""
    return f"runs/{name}/tombs/"


def tomb(name: str, worker: str) -> str:
    """One tombstone."""
    return f"runs/{name}/tombs/{worker}"


def endings(name: str) -> str:
    """Beginnings of a close, and their withdrawals."""
    return f"runs/{name}/ending/"


def ending(name: str, number: int) -> str:
    """One beginning of a close."""
    return f"runs/{name}/ending/{number:03d}"


def withdrawal(name: str, number: int) -> str:
    """A green close that lacked a verdict and was given up: the run goes on."""
    return f"runs/{name}/ending/{number:03d}.withdrawn"


def places(name: str) -> str:
    """What engines know of workers' places."""
    return f"runs/{name}/places/"


def place(name: str, worker: str) -> str:
    """Of one worker's."""
    return f"runs/{name}/places/{worker}"


def closed(name: str) -> str:
    """The merged result."""
    return f"runs/{name}/closed"


def mixed(name: str) -> str:
    """Created by whoever sees that sources have changed while the run went on; nothing takes that back."""
    return f"runs/{name}/mixed"


def inputs(name: str) -> str:
    """What a run that many may join is about, by part."""
    return f"runs/{name}/inputs"


def basis(name: str, part: str) -> str:
    """What a run's verdicts rest on: `head`, `rows`; `checked/<term>`: for which tests that agent looked again."""
    return f"runs/{name}/basis/{part}"


def told(name: str) -> str:
    """Who has told the result, where many have joined."""
    return f"runs/{name}/told"


def last(key: str) -> str:
    """The last part of a key."""
    return key.rsplit("/", 1)[1]


def outputs(name: str) -> str:
    """What workers elsewhere leave beside verdicts."""
    return f"runs/{name}/outputs/"


def output(name: str, worker: str, output: str) -> str:
    """One thing that a worker has left: chunks and their index lie below."""
    return f"runs/{name}/outputs/{worker}/{output}"
