"""What docs/fleet.md tells its reader to type, typed: on files and on schemas, with canaries, results and retries."""

import json
import re
import sys
from pathlib import Path

import pexpect
import pytest
import servers
from projects import COMMAND, Project

from asyncmig.cli.app import run
from asyncmig.config.fleet import FleetSettings

PAGE = (Path(__file__).parents[2] / "docs" / "fleet.md").read_text(encoding="utf-8")
USER = 'op.create_table("user", sa.Column("id", sa.Integer, primary_key=True))'
NAME = 'op.add_column("user", sa.Column("name", sa.String(50)))'


@pytest.fixture
def shop(project: Project) -> Project:
    (project.folder / "users").mkdir()
    lines = ["# one file each", *(f"sqlite:///users/{number}.db" for number in range(5))]
    (project.folder / "users.txt").write_text("\n".join(lines))
    project.config(url="sqlite:///own.db").revision("a1", upgrade=USER, downgrade='op.drop_table("user")')
    return project.revision("b2", "a1", upgrade=NAME, downgrade='op.drop_column("user", "name")')


def user(shop: Project, number: int) -> str:
    return servers.sqlite_url(shop.folder / "users" / f"{number}.db")


def test_files_are_upgraded_counted_and_downgraded(shop: Project) -> None:
    done = shop.run("fleet", "upgrade", "--targets", "users.txt").expect()
    assert done.stdout.splitlines()[0].split() == ["target", "result", "revision", "steps", "time"]
    assert len(re.findall(r"users/\d\.db +changed +b2 +2 +", done.stdout)) == 5
    assert "5 targets\n" in done.stderr and re.search(r"^5 changed \(", done.stderr, re.MULTILINE)
    again = shop.run("fleet", "upgrade", "--targets", "-", stdin="sqlite:///users/0.db\n").expect()
    assert (again.stdout, "1 unchanged" in again.stderr) == ("", True)
    refused = shop.run("fleet", "downgrade", "-1", "--target", "sqlite:///users/0.db", "--no-input").expect(1)
    assert "--yes" in refused.stderr
    shop.run("fleet", "downgrade", "-1", "--target", "sqlite:///users/0.db", "--yes").expect()
    status = shop.run("fleet", "status", "--targets", "users.txt").expect()
    assert [line.split() for line in status.stdout.splitlines()] == [
        ["revision", "targets", "state"],
        ["b2", "4", "at", "head"],
        ["a1", "1", "behind", "by", "1"],
    ]
    payload = json.loads(shop.run("fleet", "status", "--targets", "users.txt", "--json").expect().stdout)
    assert payload["version"] == 1
    assert [(bar["current"], bar["state"], bar["count"]) for bar in payload["histogram"]] == [
        (["b2"], "at head", 4),
        (["a1"], "behind", 1),
    ]
    assert len(payload["targets"]) == 5


def test_events_name_their_target(shop: Project) -> None:
    done = shop.run("fleet", "upgrade", "--targets", "users.txt", "--concurrency", "2", "--events").expect()
    *events, report = [json.loads(line) for line in done.stdout.splitlines()]
    targets = {result["target"] for result in report["results"]}
    assert len(targets) == 5
    for target in targets:
        told = [(event["event"], event.get("revision")) for event in events if event["target"] == target]
        steps = [
            (kind, name) for name in ("a1", "b2") for kind in ("step_started", "statement_started", "step_finished")
        ]
        assert told == [*steps, ("target_finished", None)]
    last = events[-1]
    assert (last["event"], last["outcome"], last["done"], last["total"]) == ("target_finished", "changed", 5, 5)


def test_a_warning_of_a_target_is_shown(shop: Project) -> None:
    shop.config(url="sqlite:///own.db", checksums="warn")
    shop.run("fleet", "upgrade", "a1", "--target", "sqlite:///users/0.db").expect()
    shop.revision("a1", upgrade=USER.replace("user", "user_"), downgrade='op.drop_table("user")')
    done = shop.run("fleet", "upgrade", "--target", "sqlite:///users/0.db", "--quiet").expect()
    assert re.search(r"warning: sqlite\S*users/0\.db: .*a1.*changed", done.stderr)


def test_what_failed_is_retried_from_the_results(shop: Project) -> None:
    path = servers.sqlite_path(user(shop, 3))
    path.touch()
    servers.execute(user(shop, 3), 'CREATE TABLE "user" (id INTEGER)')
    command = ("fleet", "upgrade", "head", "--targets", "users.txt", "--results", "results.json")
    failed = shop.run(*command).expect(4)
    assert "1 of 5 targets failed" in failed.stderr and "Traceback" not in failed.stderr
    assert failed.stderr.count("already exists") == 1
    results = json.loads((shop.folder / "results.json").read_text())
    assert results["counts"] == {"changed": 4, "unchanged": 0, "failed": 1, "not started": 0}
    assert "already exists" in results["results"][3]["error"]
    path.unlink()
    retried = shop.run(*command, "--retry-failed", "results.json", "--json").expect()
    assert [one["target"] for one in json.loads(retried.stdout)["results"]] == ["sqlite+aiosqlite:///users/3.db"]
    nothing = shop.run(*command, "--retry-failed", "results.json").expect()
    assert "0 targets that missed" in nothing.stderr
    (shop.folder / "users.txt").write_text("sqlite:///users/0.db")
    (shop.folder / "results.json").write_text('{"results": [{"target": "gone", "outcome": "failed"}]}')
    assert "no longer exist: gone" in shop.run(*command, "--retry-failed", "results.json").expect().stderr


def test_a_canary_and_a_limit_stop_it(shop: Project) -> None:
    for number in range(5):
        servers.sqlite_path(user(shop, number)).touch()
        servers.execute(user(shop, number), 'CREATE TABLE "user" (id INTEGER)')
    canary = shop.run("fleet", "upgrade", "--targets", "users.txt", "--canary", "1", "--json").expect(3)
    assert json.loads(canary.stdout)["counts"]["not started"] == 4
    limited = shop.run("fleet", "upgrade", "--targets", "users.txt", "--max-failures", "40%", "--concurrency", "1")
    assert "2 of 5 targets failed; 3 were not started" in limited.expect(3).stderr


def test_schemas_by_query_with_a_database_at_its_side(project: Project, postgres_url: str, tmp_path: Path) -> None:
    servers.execute(
        postgres_url,
        "CREATE SCHEMA t1",
        "CREATE SCHEMA t2",
        "CREATE TABLE tenant AS SELECT 't' || n AS schema_name, n = 2 AS deleted FROM generate_series(1, 2) n",
    )
    project.config(url=postgres_url, databases={"audit": {"url": servers.sqlite_url(tmp_path / "audit.db")}})
    project.revision("a1", upgrade=USER)
    query = "SELECT schema_name FROM public.tenant WHERE NOT deleted"
    done = project.run("fleet", "upgrade", "--query", query, "--target", "t2", "--databases", "--wait", "10").expect()
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["target", "t2", "t1", "audit"]
    assert "user" in servers.tables(postgres_url, "t1") and "user" in servers.tables(postgres_url, "t2")
    assert "user" in servers.tables(servers.sqlite_url(tmp_path / "audit.db"))
    status = project.run("fleet", "status", "--target", "t1", "--target", "missing").expect(3)
    assert "there is no such schema" in status.stderr and "at head" in status.stdout
    assert "s3cret" not in done.output + status.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("sideways",), "Known: upgrade, downgrade, status"),
        (("downgrade",), "needs to know where to"),
        (("status", "head"), "takes no revision"),
        (("upgrade",), "No targets are given"),
        (("upgrade", "nothing", "--target", "sqlite:///x.db"), "nothing"),
        (("upgrade", "--target", "x", "--concurrency", "0"), "--concurrency 0"),
        (("upgrade", "--target", "x", "--canary", "one"), "--canary one"),
        (("upgrade", "--target", "x", "--max-failures", "0"), "--max-failures 0"),
        (("upgrade", "--target", "x", "--retry-failed", "none.json"), "none.json"),
        (("upgrade", "--target", "x", "--retry-failed", "users.txt"), "no file of --results"),
    ],
)
def test_a_mistake_is_explained(
    shop: Project,
    arguments: tuple[str, ...],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(shop.folder)
    assert run(["fleet", *arguments]) == 2
    shown = capsys.readouterr().err
    assert says in shown and "Traceback" not in shown
    assert not list((shop.folder / "users").iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="no terminals")
def test_a_terminal_shows_a_bar_with_counts(shop: Project) -> None:
    shop.revision("c3", "b2", upgrade="import time; time.sleep(0.3)")
    child = pexpect.spawn(
        str(COMMAND),
        ["fleet", "upgrade", "--targets", "users.txt", "--concurrency", "1"],
        cwd=shop.folder,
        dimensions=(24, 100),
        timeout=30,
        encoding="utf-8",
    )
    child.expect(r"[1-4]/5.* [1-4] changed")
    child.expect("5 changed \\(")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_the_page_names_every_setting_and_option() -> None:
    for name in FleetSettings.__dataclass_fields__:
        assert re.search(rf"`?{name} = ", PAGE), name
    for option in ("--target ", "--targets", "--query", "--function", "--databases", "--canary", "--max-failures"):
        assert option in PAGE, option
