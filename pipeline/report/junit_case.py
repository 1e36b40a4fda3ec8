"""One `testcase` element: what pytest would write for the outcome, retries in Surefire's form, where it ran.

Knows the dialect that CI servers read and nothing of files or suites. Every string is escaped here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from pipeline.model.runs import Outcome, WorkerSpan
from pipeline.model.verdicts import Result, Verdict
from pipeline.report.addresses import Natives, pytest_names
from pipeline.report.xml_text import attribute, element

FAILURES: Final = frozenset({Verdict.FAILED})
ERRORS: Final = frozenset({Verdict.ERROR, Verdict.TIMED_OUT, Verdict.CRASHED, Verdict.LOST})
SKIPS: Final = frozenset({Verdict.SKIPPED, Verdict.XFAILED, Verdict.NOT_RUN})
_SAID: Final = {
    Verdict.TIMED_OUT: "timed out",
    Verdict.CRASHED: "crashed its process twice",
    Verdict.LOST: "its worker was lost too often",
    Verdict.NOT_RUN: "not run: the run ended before",
}


class CaseWriter:
    """Makes test cases; remembers what is equal for many of them, because there may be a million."""

    def __init__(self, natives: Natives, spans: Mapping[str, WorkerSpan]) -> None:
        self._natives, self._spans = natives, spans
        self._places: dict[str, str] = {}
        self._heads: dict[str, str] = {}

    def outcomes(self, outcomes: Iterable[Outcome]) -> Iterator[str]:
        """The elements of many outcomes; what simply passed goes the shortest way."""
        places, heads, passed, repeated = self._places, self._heads, Verdict.PASSED, self._natives.repeated
        for outcome in outcomes:
            result = outcome.result
            test = result.test
            before, bracket, parameters = test.partition("[")
            prefix, _, name = before.rpartition("::")
            head = heads.get(prefix)
            place = places.get(outcome.worker)
            if (
                head is None
                or place is None
                or result.verdict is not passed
                or outcome.attempt != 1
                or result.properties
                or result.sections
                or result.earlier
                or test in repeated
            ):
                yield self.outcome(outcome)
            else:
                if bracket or not name.isidentifier():
                    name = attribute(name + bracket + parameters)
                yield f'{head}{name}" time="{result.seconds:.3f}">{place}'

    def outcome(self, outcome: Outcome) -> str:
        """The element of one outcome."""
        result = outcome.result
        place = _property("worker", outcome.worker) + _property("attempt", str(outcome.attempt))
        place += _where(self._spans.get(outcome.worker))
        if outcome.attempt == 1:
            self._places.setdefault(outcome.worker, f"<properties>{place}</properties></testcase>\n")
        extra = "".join(_property(name, str(value)) for name, value in result.properties)
        if result.tries > 1:
            extra += _property("tries", str(result.tries))
        body = _verdict(result) + _retries(result) + _output(result)
        head = self._open(result.test, result.seconds)
        return f"{head}<properties>{place}{extra}</properties>{body}</testcase>\n"

    def missing(self, test: str, worker: str) -> str:
        """The element of a test without a verdict: an error, because the run cannot be trusted."""
        said = f"no verdict, last seen on worker {worker}" if worker else "no verdict, never begun"
        return f'{self._open(test, 0.0)}<error message="{attribute(said)}"/></testcase>\n'

    def _open(self, test: str, seconds: float) -> str:
        classname, name = pytest_names(self._natives(test))
        head = f'<testcase classname="{attribute(classname)}" name="'
        prefix = test.partition("[")[0].rpartition("::")[0]
        if "::" in prefix:
            self._heads.setdefault(prefix, head)
        return f'{head}{attribute(name)}" time="{seconds:.3f}">'


def _where(span: WorkerSpan | None) -> str:
    """Host and queue, where they are known."""
    known = (("host", span.host), ("queue", span.queue)) if span is not None else ()
    return "".join(_property(name, value) for name, value in known if value)


def _verdict(result: Result) -> str:
    """The child that says how it went; none for what passed."""
    verdict = result.verdict
    if verdict is Verdict.SKIPPED:
        text = element(next((phase.details for phase in result.phases if phase.details), result.message))
        return f'<skipped type="pytest.skip" message="{attribute(result.message)}">{text}</skipped>'
    if verdict is Verdict.XFAILED:
        return f'<skipped type="pytest.xfail" message="{attribute(result.message)}"/>'
    if verdict is Verdict.NOT_RUN:
        return f'<skipped type="not-run" message="{attribute(result.message or _SAID[verdict])}"/>'
    if verdict.is_good:
        return ""
    tag = "failure" if verdict in FAILURES else "error"
    return _trouble(tag, _message(result), result.exception, element(_details(result)))


def _message(result: Result) -> str:
    """What pytest says in the attribute; verdicts that pytest does not know say their own name first."""
    message = result.message
    if result.verdict is Verdict.ERROR:
        when = next((phase.when for phase in result.phases if phase.outcome == "failed"), "")
        return f'failed on {when} with "{message}"' if when else message
    said = _SAID.get(result.verdict)
    if said is None:
        return message
    return f"{said}: {message}" if message else said


def _retries(result: Result) -> str:
    """Earlier tries as Surefire writes them: flaky when the last one was good, else rerun."""
    kind = "flaky" if result.verdict.is_good else "rerun"
    return "".join(
        _trouble(
            f"{kind}{'Failure' if each.verdict in FAILURES else 'Error'}",
            _message(each),
            each.exception,
            f"<stackTrace>{element(_details(each))}</stackTrace>",
        )
        for each in result.earlier
    )


def _output(result: Result) -> str:
    """Captured sections, those of standard error apart, each with its title as pytest has it."""
    texts = {"system-out": "", "system-err": ""}
    for title, text in result.sections:
        tag = "system-err" if "stderr" in title.lower() else "system-out"
        texts[tag] += "\n".join([f" {title} ".center(80, "-"), text, ""])
    return "".join(f"<{tag}>{element(text)}</{tag}>" for tag, text in texts.items() if text)


def _details(result: Result) -> str:
    return "\n\n".join(phase.details for phase in result.phases if phase.details) or result.message


def _trouble(tag: str, message: str, kind: str, inner: str) -> str:
    type_ = f' type="{attribute(kind)}"' if kind else ""
    return f'<{tag} message="{attribute(message)}"{type_}>{inner}</{tag}>'


def _property(name: str, value: str) -> str:
    return f'<property name="{attribute(name)}" value="{attribute(value)}"/>'
