"""Random matrices that are well formed, of few names, so that filters often match and conditions often hold."""

from __future__ import annotations

from random import Random

NAMES = "abcdefgh"
AXES = "xyz"
KEYS = ("k1", "k2", "k3", "mem", "v_x")
PATTERNS = ("k.*", "k[12]", ".*", *KEYS)
VALUES = ("1", "2", "foo", "'q r'", '"z"', "", "a=b", "${k1}", "p${k2}q", "${k3}${nope}${k1}", "${name}", "${x}-${mem}")
OPERATORS = ("=", "=", "=", "+=", "<=", "~=", "?=", "?+=", "?<=")
MOST_VARIANTS = 14


class Generated:
    """One text; `joins` and `suffixes` say whether it may have those."""

    def __init__(self, random: Random, *, joins: bool, suffixes: bool) -> None:
        self._random = random
        self._joins = joins
        self._suffixes = suffixes
        self._variants = 0
        lines: list[str] = []
        for _ in range(self._some(1, 2, 3, 4)):
            lines += self._statements(0, 0, self._some(0, 1, 2))
            lines += self._stanza(0, 0)
        lines += self._statements(0, 0, self._some(0, 1, 2))
        self.text = "\n".join(lines) + "\n"

    def _some(self, *numbers: int) -> int:
        return self._random.choice(numbers)

    def _block(self, *, plain: bool) -> str:
        names = [self._random.choice(NAMES) for _ in range(self._some(1, 1, 1, 2, 3))]
        if plain:
            return ".".join(names)
        return ".".join(
            f"({self._random.choice(AXES)}={name})" if self._random.random() < 0.15 else name for name in names
        )

    def _filter(self, *, plain: bool = False) -> str:
        words = [
            "..".join(self._block(plain=plain) for _ in range(self._some(1, 1, 1, 2, 3)))
            for _ in range(self._some(1, 1, 2, 3))
        ]
        between = self._random.choice([", ", ","] if plain else [", ", ",", " "])
        return between.join(words)

    def _assignment(self) -> str:
        operator = self._random.choice(OPERATORS)
        key = self._random.choice(PATTERNS if operator.startswith("?") else KEYS)
        return f"{key} {operator} {self._random.choice(VALUES)}"

    def _statements(self, indent: int, depth: int, count: int, *, conditional: bool = False) -> list[str]:
        return [line for _ in range(count) for line in self._statement(indent, depth, conditional=conditional)]

    def _statement(self, indent: int, depth: int, *, conditional: bool) -> list[str]:
        chance, blanks = self._random.random(), " " * indent
        if chance < 0.08:
            return [f"{blanks}{self._random.choice(('only', 'no', 'no'))} {self._filter()}"]
        if chance < 0.15 and depth < 4:
            return self._condition(indent, depth)
        if chance < 0.19:
            return [f"{blanks}del {self._random.choice(KEYS)}"]
        if chance < 0.23 and self._suffixes and not conditional:
            return [f"{blanks}suffix _{self._random.choice('uvw')}"]
        if chance < 0.25 and self._joins and not conditional and depth == 0:
            return [f"{blanks}join {self._filter()}"]
        if chance < 0.55 and not conditional and depth < 3 and self._variants < MOST_VARIANTS:
            return self._stanza(indent, depth + 1)
        return [blanks + self._assignment()]

    def _condition(self, indent: int, depth: int) -> list[str]:
        head = f"{' ' * indent}{self._random.choice(('', '!'))}{self._filter(plain=True)}:"
        if self._random.random() < 0.4:
            return [f"{head} {self._assignment()}"]
        return [head, *self._statements(indent + 4, depth + 1, self._some(1, 2), conditional=True)]

    def _stanza(self, indent: int, depth: int) -> list[str]:
        blanks = " " * indent
        axis = self._random.choice(("", "", f" {self._random.choice(AXES)}"))
        names = self._random.sample(NAMES, self._some(1, 2, 2, 3))
        self._variants += len(names)
        default = f" [default={self._random.choice(names)}]" if self._random.random() < 0.15 else ""
        lines = [f"{blanks}variants{axis}{default}:"]
        for name in names:
            dotted = f".{self._random.choice(NAMES)}" if not default and self._random.random() < 0.15 else ""
            waits = " " + " ".join(self._random.sample(NAMES, self._some(1, 2))) if self._random.random() < 0.15 else ""
            mark = "@" if self._random.random() < 0.2 else ""
            lines.append(f"{blanks}    - {mark}{name}{dotted}:{waits}")
            lines += self._statements(indent + 8, depth, self._some(0, 0, 1, 2, 3))
        return lines
