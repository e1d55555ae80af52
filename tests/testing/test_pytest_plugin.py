"""The pytest plugin, in pytest runs of their own, as whoever installs presenced has it."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.running import clean_environment
from tests.testing import seeds
from tests.testing.waiting import is_gone, wait_until

pytest_plugins = ["pytester"]

EXAMPLES = Path(__file__).with_name("examples")
_INI = """
[pytest]
asyncio_default_fixture_loop_scope = function
filterwarnings =
  error
  ignore:GetQueryParameters is deprecated:DeprecationWarning
  ignore:This class is deprecated. Please use the generic RequestConfiguration:DeprecationWarning
"""
_HELPERS = """
from presenced.testing import Presenced

def person(presenced, person):
    answer = presenced.client().get(f"/users/{person}/presence")
    return answer.json().get("activity")
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project whose warnings are errors, and whose markers are strict."""
    for name in set(os.environ) - set(clean_environment()):
        monkeypatch.delenv(name)
    pytester.makefile(".ini", pytest=_INI)
    pytester.makepyfile(helpers=_HELPERS)
    monkeypatch.setenv("TMPDIR", str(pytester.mkdir("temporary")))
    monkeypatch.setenv("PYTHONPATH", str(pytester.path), prepend=os.pathsep)
    return pytester


def run(project: pytest.Pytester, *arguments: str, **expected: int) -> str:
    """A run with these outcomes, which leaves nothing behind; what it printed."""
    ran = project.runpytest_subprocess("--strict-markers", "--strict-config", "-p", "no:cacheprovider", *arguments)
    ran.assert_outcomes(**expected)
    assert list((project.path / "temporary").glob("presenced-*")) == []
    return str(ran.stdout)


@pytest.mark.parametrize(("name", "passed"), [("with_pytest", 2), ("with_asyncio", 2), ("with_unittest", 3)])
def test_the_examples_of_the_page(project: pytest.Pytester, name: str, passed: int) -> None:
    project.makepyfile(**{f"test_{name}": (EXAMPLES / f"{name}.py").read_text()})
    run(project, passed=passed)


def test_the_example_of_unittest_without_pytest(project: pytest.Pytester) -> None:
    project.makepyfile(test_it=(EXAMPLES / "with_unittest.py").read_text())
    ran = subprocess.run(
        [sys.executable, "-m", "unittest", "-v", "test_it"],
        cwd=project.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "Ran 3 tests" in ran.stderr
    assert list((project.path / "temporary").glob("presenced-*")) == []


def test_each_test_finds_the_seed(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it=f"""
        import pytest
        from helpers import person
        SEED = {seeds.SEED!r}
        JONAS = "5ca1ab1e-0000-4000-8000-00000000010a"

        @pytest.fixture(scope="session")
        def before(presenced_server):
            return presenced_server.url

        @pytest.mark.parametrize("turn", range(3))
        def test_change(before, presenced, turn):
            assert presenced.url == before
            assert person(presenced, JONAS) == "Offline"
            call = {{"sessionId": "1", "availability": "Busy", "activity": "InACall"}}
            presenced.client().post(f"/users/{{JONAS}}/presence/setPresence", json=call).raise_for_status()
            presenced.clock.freeze("2030-01-01T00:00:00Z")

        def test_the_clock(presenced):
            assert presenced.clock.now().year < 2030

        def test_a_seed_in_the_test(presenced):
            presenced.seed(SEED)
            assert person(presenced, {seeds.PERSON!r}) == "Presenting"

        def test_gone(presenced):
            assert person(presenced, JONAS) == "Offline"

        @pytest.mark.presenced(seed=SEED)
        def test_a_seed_of_the_test(presenced, monkeypatch):
            import os
            assert person(presenced, {seeds.PERSON!r}) == "Presenting"
            assert os.environ["AZURE_CLIENT_ID"] == {seeds.APP!r}

        @pytest.mark.presenced("seeds/seed.toml")
        def test_a_file_of_the_test(presenced):
            assert person(presenced, {seeds.PERSON!r}) == "Presenting"

        def test_gone_again(presenced):
            assert person(presenced, JONAS) == "Offline"
        """
    )
    seeds.write(project.path / "seeds")
    run(project, passed=9)


def test_the_environment_is_set_while_the_test_runs(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "a real one")
    project.makepyfile(
        test_it=f"""
        import os, pytest

        def test_before():
            assert os.environ["AZURE_CLIENT_SECRET"] == "a real one"
            assert "GRAPH_BASE_URL" not in os.environ

        def test_with(presenced):
            assert os.environ["AZURE_CLIENT_SECRET"] == presenced.secret
            assert presenced.environment.items() <= os.environ.items()
            assert presenced.trust.items() <= os.environ.items()

        @pytest.mark.presenced(seed={{"tenants": [{{"id": {seeds.TENANT!r}}}]}})
        def test_without_an_app(presenced):
            assert "AZURE_CLIENT_SECRET" not in os.environ

        test_after = test_before
        """
    )
    run(project, "-p", "no:randomly", passed=4)


@pytest.mark.parametrize("how", ["option", "ini"])
def test_the_seed_of_the_session(project: pytest.Pytester, how: str) -> None:
    seeds.write(project.path / "here")
    project.makepyfile(
        **{
            "here/test_it": f"""
            from helpers import person

            def test_it(presenced):
                assert person(presenced, {seeds.PERSON!r}) == "Presenting"
            """
        }
    )
    if how == "option":
        run(project, "--presenced-seed", "here/seed.toml", passed=1)
    else:
        project.makefile(".ini", **{"here/pytest": _INI + "presenced_seed = seed.toml\n"})
        run(project, "-c", "here/pytest.ini", "here", passed=1)


def test_a_wrong_seed_is_an_error_with_its_line(project: pytest.Pytester) -> None:
    (project.path / "seed.toml").write_text(seeds.TOML.replace("people", "peeple"))
    project.makepyfile(test_it="def test_it(presenced): ...\ndef test_other(): ...\n")
    printed = run(project, "--presenced-seed", "seed.toml", errors=1, passed=1)
    assert re.search(r"seed\.toml: .*line 11", printed)


def test_usefixtures_and_classes(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it="""
        import os, unittest, pytest

        @pytest.mark.usefixtures("presenced")
        class TestPlain(unittest.TestCase):
            def test_it(self):
                self.assertIn("GRAPH_BASE_URL", os.environ)

        class TestWithIt(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def _presenced(self, presenced):
                self.presenced = presenced

            def test_it(self):
                self.assertEqual(os.environ["GRAPH_BASE_URL"], self.presenced.base_url)
        """
    )
    run(project, passed=2)


def test_a_class_of_unittest_has_its_seed_and_finds_it_in_each_test(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it=f"""
        from unittest import TestCase
        from helpers import person
        from presenced.testing import PresencedTests

        class Mine(PresencedTests):
            presenced_seed = {seeds.SEED!r}

            def change(self):
                assert person(self.presenced, {seeds.PERSON!r}) == "Presenting"
                self.presenced.seed({{"tenants": [{{"id": {seeds.TENANT!r}}}]}})

            test_1 = test_2 = change

        class Other(PresencedTests):
            def test_sample(self):
                assert person(self.presenced, "fa8bf3dc-eca7-46b7-bad1-db199b62afc3") == "InAMeeting"
        """
    )
    run(project, passed=3)


def test_a_server_that_dies_is_reported(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it="""
        import json, os, signal

        def test_unaware(presenced):
            os.kill(json.loads((presenced.data / "server.json").read_text())["pid"], signal.SIGKILL)

        def test_next(presenced):
            assert not "reached"

        def test_other():
            pass
        """
    )
    printed = run(project, passed=2, errors=1)
    assert "ServerDied: The presenced server was killed by signal 9." in printed
    assert "httpcore" not in printed
    project.makepyfile(
        test_it="""
        import json, os, signal

        def test_last(presenced):
            os.kill(json.loads((presenced.data / "server.json").read_text())["pid"], signal.SIGKILL)
        """
    )
    printed = run(project, passed=1, errors=1)
    assert "ServerDied: The presenced server was killed by signal 9." in printed


def test_a_failure_shows_the_last_requests(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it="""
        def test_fails(presenced):
            presenced.client().get("/users/none/presence")
            raise AssertionError("so")

        def test_nothing(presenced):
            raise AssertionError("so")

        def test_cut(presenced):
            presenced.faults.add(cut="before")
            presenced.client().get("/me")
        """
    )
    printed = run(project, failed=3)
    assert "The connection was cut. (fault 1)" in printed
    assert "presenced: the last requests" in printed
    assert re.search(r"\dZ GET /v1\.0/users/none/presence 404$", printed, re.MULTILINE)
    assert "There were none." in printed


def test_each_worker_of_xdist_has_a_server(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it="""
        import pathlib, pytest

        @pytest.mark.parametrize("turn", range(8))
        def test_it(presenced, turn, worker_id):
            (pathlib.Path(__file__).parent / f"{worker_id} {presenced.url.rpartition(':')[2]}").touch()
            assert presenced.clock.freeze("2030-01-01T00:00:00Z").year == 2030
        """
    )
    run(project, "-n", "2", passed=8)
    seen = [file.name.split() for file in project.path.glob("gw*")]
    assert len({port for _, port in seen}) == len({worker for worker, _ in seen}) == len(seen) == 2


@pytest.mark.parametrize("workers", ["0", "1"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_an_ended_pytest_leaves_no_server(project: pytest.Pytester, how: signal.Signals, workers: str) -> None:
    project.makepyfile(
        test_it="""
        import pathlib, signal, time

        def test_it(presenced):
            pathlib.Path(__file__).with_name("ready").touch()
            while True:
                time.sleep(1)
        """
    )
    ready, temporary = project.path / "ready", project.path / "temporary"
    with project.popen([sys.executable, "-m", "pytest", "-n", workers], stdin=subprocess.DEVNULL) as process:
        wait_until(lambda: ready.exists() or process.poll() is not None)
        assert ready.exists()
        (data,) = temporary.glob("presenced-*/data")
        server = json.loads((data / "server.json").read_text())["pid"]
        process.send_signal(how)
        process.communicate(timeout=60)
    wait_until(lambda: not data.exists() and is_gone(server))


def test_pytest_without_it_imports_next_to_nothing(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it="""
        import sys

        def test_it():
            assert sorted(name for name in sys.modules if name.startswith("presenced")) == [
                "presenced", "presenced.testing", "presenced.testing.pytest_plugin"
            ]
        """
    )
    run(project, passed=1)
    run(project, "-p", "no:presenced", failed=1)
