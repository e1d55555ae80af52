"""The published clients of Python and JavaScript do the checklist (README.md): a test for each SDK and check.

./scripts/clients runs those of all languages.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.clients.program import CHECKS, Program
from tests.clients.surroundings import surroundings

SDKS = {
    "python": ("msgraph-sdk", "msgraph-beta-sdk"),
    "javascript": ("microsoft-graph-client", "msgraph-sdk-js"),
}
# a language is installed and run once, by its first test
pytestmark = pytest.mark.timeout(1500)

Results = dict[str, dict[str, str | None]]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with surroundings(tmp_path_factory.mktemp("clients")) as environment:
        yield environment


@pytest.fixture(scope="module")
def results(environment: dict[str, str], request: pytest.FixtureRequest) -> Results:
    """What the programs said of the checks whose tests are selected."""
    selected = [
        (str(test.callspec.params["language"]), str(test.callspec.params["name"]))
        for test in request.session.items
        if isinstance(test, pytest.Function) and test.originalname == "test_client"
    ]
    found: Results = {}
    for language in dict.fromkeys(language for language, _ in selected):
        program = Program(language, environment)
        program.install()
        found[language] = program.run(name for of, name in selected if of == language)
    return found


@pytest.mark.parametrize(
    ("language", "name"),
    [(language, f"{sdk}/{check}") for language, sdks in SDKS.items() for sdk in sdks for check in CHECKS],
)
def test_client(results: Results, language: str, name: str) -> None:
    assert results[language][name] is None


@pytest.mark.parametrize("language", SDKS)
def test_an_unknown_check_is_an_error(environment: dict[str, str], language: str) -> None:
    program = Program(language, environment)
    program.install()
    with pytest.raises(Exception, match="unknown: msgraph-sdk/nothing"):
        program.run(["msgraph-sdk/nothing"])


def test_lock_files_name_no_registry() -> None:
    """Who installs has a registry configured already; it may be another one."""
    here = Path(__file__).parent
    locks = [*here.glob("*/package-lock.json"), *here.glob("*/composer.lock"), *here.glob("*/packages.lock.json")]
    assert locks
    for lock in locks:
        assert not re.search(r'"resolved":\s*"http', lock.read_text("utf-8")), lock
