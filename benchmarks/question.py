"""Question: the call that is measured, and what its right answer holds."""

import msgspec

from benchmarks import http
from benchmarks.plan import Exchange, Plan, WrongAnswer

PATH = "/v1.0/communications/getPresencesByUserId"

Question = list[str]
"""The ids of one call."""

Entries = dict[str, bytes]
"""Everyone's presence as JSON, by id: what presenced says of them, and what all peers must say."""


def asked(questions: list[Question], tokens: list[str] | None = None) -> list[bytes]:
    """The questions as requests; where there are tokens, they take turns."""
    return [
        http.post(PATH, {"ids": question}, tokens[turn % len(tokens)] if tokens else None)
        for turn, question in enumerate(questions)
    ]


def http_plan(port: int, pid: int, requests: list[bytes], questions: list[Question], entries: Entries) -> Plan:
    """The plan of these requests to an HTTP server, with the answers it gives now. Raises WrongAnswer."""
    answers = http.ask_all(port, requests)
    for question, answer in zip(questions, answers, strict=True):
        check(question, answer, entries)
    return Plan(port, pid, [Exchange(*exchange) for exchange in zip(requests, answers, strict=True)])


def check(question: Question, answer: bytes, entries: Entries) -> None:
    """Raises WrongAnswer unless the answer holds exactly the asked people, in order, however it is spaced."""
    wanted = msgspec.json.decode(b"[" + b",".join(entries[person] for person in question) + b"]")
    if msgspec.json.decode(answer).get("value") != wanted:
        raise WrongAnswer(f"not the people asked for: {answer[:300]!r}...")
