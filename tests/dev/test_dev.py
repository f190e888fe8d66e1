"""What dev.py promises, tried on checkouts in miniature (see checkout.py); no fixed ports, so they run in parallel."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

import dev
from devtools import environment, settings
from devtools.common import ROOT, FileLock, is_locked
from devtools.process import end_leftover, started_at, wait_until
from tests.dev.checkout import Checkout

NO_NETWORK = ROOT / "tests" / "no_network"
needs_servers = pytest.mark.skipif(
    not environment.embedded_supported(), reason="there are no embedded servers for this platform"
)
needs_proc = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "checkout")


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The single line of a refusal, which goes to standard error."""
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("dev.py: ")
    return lines[0]


# Usage


def test_an_unknown_command_is_refused_with_the_known_ones(checkout: Checkout) -> None:
    done = checkout.call("serve")
    assert done.returncode == 2
    assert "'serve'" in one_line(done)
    assert "run, test, manage, bench" in done.stderr


def test_help_goes_to_standard_output(checkout: Checkout) -> None:
    done = checkout.call("--help")
    assert done.returncode == 0
    assert "dev.py run [--port 8000]" in done.stdout


@pytest.mark.parametrize("port", ["eighty", "70000", "-1"])
def test_a_port_that_is_none_is_a_usage_error(checkout: Checkout, port: str) -> None:
    done = checkout.call("run", f"--port={port}")
    assert done.returncode == 2
    assert "is not a port" in done.stderr


def test_an_unknown_benchmark_is_refused(checkout: Checkout) -> None:
    (checkout.top / "benchmarks").mkdir()
    (checkout.top / "benchmarks" / "windows.py").touch()
    assert checkout.call("bench").stdout == "windows\n"
    done = checkout.call("bench", "nothing")
    assert done.returncode == 2
    assert "there are: windows" in one_line(done)


def test_an_occupied_port_is_told_at_once_with_the_way_out(checkout: Checkout) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = checkout.call("run", "--port", str(port))
    assert done.returncode == 1
    assert re.search(rf"port {port} .*--port", one_line(done))
    assert not (checkout.state / "postgres").exists()


# The environment


def python_that(directory: Path, statements: str) -> str:
    """A PYTHONPATH under which every Python begins with these statements."""
    directory.mkdir(exist_ok=True)
    (directory / "sitecustomize.py").write_text(statements)
    return str(directory)


def test_a_missing_venv_module_is_told_with_the_way_out(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "checkout", with_environment=False)
    path = python_that(tmp_path / "path", "import sys; sys.modules['ensurepip'] = None")
    done = checkout.call("env", PYTHONPATH=path, PATH="/nowhere")
    assert done.returncode == 1
    assert "apt install python3-venv" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_platform_without_the_embedded_servers_is_told_what_to_set(checkout: Checkout, tmp_path: Path) -> None:
    path = python_that(tmp_path / "path", "import platform; platform.machine = lambda: 'riscv64'")
    done = checkout.call("manage", "urls", PYTHONPATH=path)
    assert done.returncode == 1
    assert "set DATABASE_URL and REDIS_URL" in one_line(done)
    given = {"DATABASE_URL": "postgres://somewhere/neo", "REDIS_URL": "redis://somewhere"}
    assert checkout.call("manage", "echo", PYTHONPATH=path, **given).returncode == 7


def test_without_the_embedded_servers_the_lock_is_the_same_but_for_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NEO_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(environment, "embedded_supported", lambda: False)
    pins = re.compile(r"^([a-z0-9._-]+)==", re.MULTILINE)
    whole = pins.findall((ROOT / "requirements" / "development.txt").read_text())
    reduced = environment._installable("development").read_text()
    assert set(whole) - set(pins.findall(reduced)) == set(environment.EMBEDDED_PACKAGES)
    assert not re.search(r"(?m)^\s+--hash.*\n(?=\S)(?!\S+==)", reduced)


def test_each_lock_holds_what_the_smaller_one_holds_and_names_no_address() -> None:
    texts = [(ROOT / "requirements" / f"{name}.txt").read_text() for name in environment.SETS]
    pins = [set(re.findall(r"(?m)^[a-z0-9._-]+==[^ ;]+", text)) for text in texts]
    assert pins[0] < pins[1] < pins[2]
    assert not any("://" in text for text in texts)


def test_an_environment_with_more_in_it_is_not_installed_downwards(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    python = tmp_path / "python"
    python.touch()
    monkeypatch.setattr(environment, "PYTHON", python)
    monkeypatch.setattr(environment, "STAMP", tmp_path / "stamp")
    current = {"python": str(python.resolve())}

    def installed(name: str, **changes: str) -> None:
        stamp = {"set": name, "sha256": environment._hash(name), **current, **changes}
        (tmp_path / "stamp").write_text(json.dumps(stamp))

    installed("development")
    assert environment._holds("embedded")
    installed("embedded")
    assert not environment._holds("development")
    installed("embedded", sha256="of an older lock")
    assert not environment._holds("embedded")
    installed("embedded", python="/usr/bin/python3.10")
    assert not environment._holds("embedded")


# manage, test


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("migrate", True),
        ("windows --target 99942 --site 568", True),
        ("windows --elements a.csv --site 568", False),
        ("ephemeris --elements=a.csv", False),
        ("check", False),
        ("check --database default", True),
        ("makemigrations", False),
        ("migrate --help", False),
        ("--version", False),
        ("", False),
    ],
)
def test_servers_are_started_only_for_commands_that_need_them(words: str, expected: bool) -> None:
    assert settings.needs_servers(words.split()) is expected


def test_manage_hands_everything_through(checkout: Checkout) -> None:
    done = checkout.call("manage", "echo", "--elements", "a b", stdin="line\n")
    assert (done.stdout, done.stderr, done.returncode) == ("--elements a b line\n", "", 7)
    assert not (checkout.state / "postgres").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [("", False), ("-k name", False), ("-n 4", True), ("-n0", True), ("-p no:xdist", True), ("--pdb", True)],
)
def test_the_number_of_test_processes_can_be_chosen(words: str, expected: bool) -> None:
    assert dev._chooses_workers(words.split()) is expected


def test_paths_of_tests_are_meant_from_the_current_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "test_x.py").touch()
    monkeypatch.chdir(tmp_path)
    assert dev._absolute("test_x.py::test_a") == f"{tmp_path}/test_x.py::test_a"
    assert [dev._absolute(word) for word in ("-k", "name", "tests/none.py")] == ["-k", "name", "tests/none.py"]


def test_the_persons_own_settings_win(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NEO_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("DEBUG", "0")
    monkeypatch.setenv("SECRET_KEY", "")
    result = settings.environment({"DATABASE_URL": "postgres://given"}, tmp_path)
    assert result["DEBUG"] == "0"
    assert result["SECRET_KEY"] == (tmp_path / "secret_key").read_text() == settings.secret_key()
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


# The embedded servers


def urls(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("postgres://"), line + process.stdout.read()
    return line


def state(checkout: Checkout, kind: str) -> dict[str, int]:
    loaded: dict[str, int] = json.loads((checkout.state / kind / "state.json").read_text())
    return loaded


@needs_servers
@needs_proc
def test_servers_are_shared_healed_and_stopped_by_the_last_user(checkout: Checkout) -> None:
    first = checkout.start("manage", "urls", "wait")
    try:
        shared = urls(first)
        assert checkout.call("manage", "urls").stdout == shared

        # Killed with all their guards, they come back at the same addresses.
        for kind in ("postgres", "valkey"):
            os.kill(state(checkout, kind)["keeper"], signal.SIGKILL)
        assert checkout.call("manage", "urls").stdout == shared

        # A server that dies is started again by its keeper.
        victim = state(checkout, "valkey")["pid"]
        os.kill(victim, signal.SIGKILL)
        assert wait_until(lambda: state(checkout, "valkey")["pid"] != victim, 10)
        assert wait_until(lambda: checkout.call("manage", "urls").stdout == shared, 10, 0.2)
    finally:
        first.kill()  # a user that cannot say good-bye
        first.communicate()
    assert wait_until(lambda: not checkout.processes(), 10), checkout.processes()
    assert not (checkout.state / "postgres" / "state.json").exists()


@needs_servers
@needs_proc
def test_a_stale_state_with_foreign_process_ids_is_healed(checkout: Checkout) -> None:
    assert checkout.call("manage", "urls").returncode == 0
    assert wait_until(lambda: not checkout.processes(), 10)
    # As after a crash of the machine: the ids in the files now belong to somebody else (here: to us).
    stale = {"keeper": os.getpid(), "pid": os.getpid(), "started": "0", "port": 1, "url": "postgres://gone"}
    (checkout.state / "postgres" / "state.json").write_text(json.dumps(stale))
    (checkout.state / "valkey" / "state.json").write_text("{half a")
    (checkout.state / "postgres" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n/elsewhere\n")
    done = checkout.call("manage", "urls")
    assert done.returncode == 0, done.stderr
    assert "gone" not in done.stdout


@needs_servers
@needs_proc
def test_checkouts_side_by_side_have_servers_of_their_own(tmp_path: Path) -> None:
    checkouts = [Checkout(tmp_path / name) for name in ("one", "two")]
    running = [checkout.start("manage", "urls", "wait") for checkout in checkouts]
    try:
        assert urls(running[0]) != urls(running[1])
    finally:
        for process in running:
            process.kill()
            process.communicate()


@needs_servers
@needs_proc
def test_a_test_run_uses_servers_that_are_thrown_away(checkout: Checkout) -> None:
    left_by_a_killed_run = checkout.state / "test" / "0123" / "postgres"
    left_by_a_killed_run.mkdir(parents=True)
    (checkout.top / "test_it.py").write_text(
        "import os, psycopg\n"
        "def test_it():\n"
        "    assert '/test/' in os.environ['NEO_STATE_DIR']\n"
        "    psycopg.connect(os.environ['DATABASE_URL']).execute('SELECT 1')\n"
    )
    done = checkout.call("test", "-n0", "-p", "no:django", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"1 passed in [\d.]+s", done.stdout.splitlines()[-1])
    assert wait_until(lambda: not list((checkout.state / "test").iterdir()), 10)
    assert not (checkout.state / "postgres").exists()


def test_a_lock_ends_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    code = f"import sys,time; sys.path.insert(0, {str(ROOT)!r}); from pathlib import Path\n"
    code += f"from devtools.common import FileLock; FileLock(Path({str(path)!r})).exclusive()"
    holder = subprocess.Popen(
        [sys.executable, "-c", code.replace("FileLock(P", "lock = FileLock(P").replace(").exclusive()",
         "); lock.exclusive(); print(1, flush=True); time.sleep(60)")], stdout=subprocess.PIPE,
    )  # fmt: skip
    assert holder.stdout is not None
    holder.stdout.readline()
    assert is_locked(path)
    with FileLock(path) as other:
        assert not other.shared(wait=False)
    holder.kill()
    holder.communicate()
    assert not is_locked(path)


def test_only_the_recorded_process_is_ended() -> None:
    process = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        end_leftover(process.pid, "some other time", signal.SIGKILL)
        assert process.poll() is None
        end_leftover(process.pid, started_at(process.pid), signal.SIGTERM)
        assert process.wait(5) == -signal.SIGTERM
    finally:
        process.kill()
        process.wait()


# The supervisor

SUPERVISE = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from devtools.common import Failure
from devtools.supervisor import Policy, Stopped, Supervisor
try:
    with Supervisor(Path("."), {{"PATH": "/usr/bin:/bin"}}, Path("."), Policy(pause_s=0.05, grace_s=0.5)) as supervisor:
        {body}
except (Failure, Stopped) as error:
    print(error)
    sys.exit(9)
"""
STUBBORN = "trap '' TERM INT; sleep 61 & echo $! >> started; while :; do sleep 62; done"


def supervise(directory: Path, body: str, **options: object) -> subprocess.Popen[str]:
    code = SUPERVISE.format(root=str(ROOT), body=body)
    return subprocess.Popen(  # type: ignore[call-overload]
        [sys.executable, "-c", code], cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        **options,
    )  # fmt: skip


def test_a_child_that_dies_is_restarted_and_after_repeated_deaths_all_stop(tmp_path: Path) -> None:
    body = """supervisor.start("other", ["sh", "-c", "echo $$ > other.pid; exec sleep 60"])
        supervisor.start("frail", ["sh", "-c", "echo born >> births; echo the reason"])
        supervisor.serve()"""
    stdout, stderr = supervise(tmp_path, body).communicate(timeout=30)
    assert (tmp_path / "births").read_text() == "born\n" * 3
    assert "frail ended 3 times within 60 s" in stdout
    assert "the reason" in stdout
    assert stderr.count("starting it again") == 2
    assert started_at(int((tmp_path / "other.pid").read_text())) is None


def test_a_step_that_fails_stops_everything(tmp_path: Path) -> None:
    body = """supervisor.start("other", ["sh", "-c", "echo $$ > other.pid; exec sleep 60"])
        supervisor.wait(Path("other.pid").exists, 10)
        supervisor.step("the step", ["false"])"""
    stdout, _ = supervise(tmp_path, body).communicate(timeout=30)
    assert "the step failed (exit code 1)" in stdout
    assert started_at(int((tmp_path / "other.pid").read_text())) is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_stubborn_children_and_what_they_started(tmp_path: Path, number: int) -> None:
    body = f"""supervisor.start("stubborn", ["sh", "-c", {STUBBORN!r}])
        supervisor.serve()"""
    # As a shell starts a background job: with SIGINT ignored.
    ignoring = supervise(tmp_path, body, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    assert wait_until(lambda: bool(tmp_path.joinpath("started").exists() and (tmp_path / "started").read_text()), 10)
    began = time.monotonic()
    ignoring.send_signal(number)
    ignoring.communicate(timeout=10)
    assert time.monotonic() - began < 5
    assert ignoring.returncode == 9
    assert wait_until(lambda: started_at(int((tmp_path / "started").read_text())) is None, 5)


def test_what_a_killed_supervisor_leaves_is_ended_by_the_next(tmp_path: Path) -> None:
    body = f"""supervisor.start("stubborn", ["sh", "-c", {STUBBORN!r}])
        supervisor.serve()"""
    killed = supervise(tmp_path, body)
    assert wait_until(lambda: bool(tmp_path.joinpath("started").exists() and (tmp_path / "started").read_text()), 10)
    killed.kill()
    killed.communicate()
    left = int((tmp_path / "started").read_text())
    assert started_at(left) is not None  # it ignores the signal that tells of its parent's end
    supervise(tmp_path, "pass").communicate(timeout=30)
    assert wait_until(lambda: started_at(left) is None, 5)


# The whole


def test_several_commands_run_in_one_process_until_one_fails(checkout: Checkout) -> None:
    (checkout.top / "manage.py").write_text(
        "import os, sys\n"
        "print(os.environ.setdefault('PID', str(os.getpid())) == str(os.getpid()), *sys.argv[1:])\n"
        "sys.exit(5 if sys.argv[1] == 'bad' else None)\n"
    )
    script = str(checkout.top / "devtools" / "several.py")
    done = subprocess.run(
        [sys.executable, script, "one", "--a", ",", "two", ",", "bad", ",", "three"], capture_output=True, text=True
    )
    assert done.stdout == "True one --a\nTrue two\nTrue bad\n"
    assert done.returncode == 5


@needs_servers
@needs_proc
def test_run_serves_without_a_network_until_it_is_asked_to_stop_and_leaves_nothing(
    checkout: Checkout, tmp_path: Path
) -> None:
    wanted = tmp_path / "wanted"
    wanted.touch()
    running = checkout.start(
        "run", "--port", "0", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        env=checkout.environment(PYTHONPATH=str(NO_NETWORK), NO_NETWORK_LOG=str(wanted)),
    )  # fmt: skip
    assert running.stdout is not None
    try:
        line = running.stdout.readline()
        assert re.fullmatch(r"ready: http://127\.0\.0\.1:\d+/\n", line), line + running.stdout.read()
        url = line.split()[1]
        assert urllib.request.urlopen(url + "health/").status == 200
        second = checkout.call("run", "--port", "0")
        assert second.returncode == 1
        assert f"already running from this checkout at {url}" in one_line(second)
        began = time.monotonic()
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=15)
        assert time.monotonic() - began < 10
        assert running.returncode == 0
        assert checkout.processes() == []
    finally:
        running.kill()
        running.communicate()
    assert {path.name for path in (checkout.state / "log").iterdir()} >= {"web.log", "worker.log", "beat.log"}
    assert wanted.read_text() == ""


@needs_servers
@needs_proc
def test_run_stops_when_a_step_fails(checkout: Checkout) -> None:
    done = checkout.call("run", "--port", "0", FAILING_COMMAND="bootstrap")
    assert done.returncode == 1
    assert "preparing the database failed (exit code 3)" in one_line(done)
    assert checkout.processes() == []
