"""`make run`: the whole of Baton on this machine, from infra/template.yaml, and two stories that show it.

Steps: build, AWS, deploy, sandbox and demo bot, the stories; then it stays up until Ctrl-C. With --once
(or ONCE=1) it ends after them. With INTERCOM_ACCESS_TOKEN set it serves that real workspace
instead of the sandbox, and there are none.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import packages
import settings
import stack
from aws import ACCOUNT, Aws, request
from chat_story import ChatStory
from console import Failure, failure, paint, say, step
from processes import Processes, choose_port
from story import Story
from trail import Trail

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "infra" / "template.yaml"
SEED = ROOT / "infra" / "sandbox" / "seed.json"
DEMO_BOT = ROOT / "infra" / "demo-bot" / "bot.py"


def main():
    """Runs everything; the exit status."""
    options = _options()
    intercom = part_from_the_caller()
    directory = ROOT / ".local"
    try:
        if options.any_ports:
            directory = directory / "test"
        with Processes() as processes:
            _run(options, intercom, processes, directory)
    except Failure as error:
        failure(error)
        return 1
    except KeyboardInterrupt:
        say()
        say("stopped")
        return 130 if options.once else 0
    return 0


def _run(options, intercom, processes, directory):
    started = time.monotonic()
    real = bool(intercom.get("INTERCOM_ACCESS_TOKEN")) and not options.once
    ports = _ports(options, real)
    sandbox_url = f"http://127.0.0.1:{ports['sandbox']}"
    bot_url = f"http://127.0.0.1:{ports['bot']}"
    bot_secret = settings.new_bot_secret()

    if real:
        with step("ask Intercom which workspace the token opens") as remark:
            workspace = settings.of_intercom(intercom)
            remark(f"{workspace.name or workspace.app_id}, {workspace.region.upper()}")
    else:
        workspace = settings.of_sandbox(SEED, sandbox_url)
    binaries = build(processes)
    toml = settings.as_toml(workspace, f"{bot_url}/events")
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "baton.toml").write_text(toml)

    aws = Aws(processes, ports["aws"], directory)
    with step("start AWS on this machine (ministack, IAM enforced)") as remark:
        aws.start()
        remark(f"port {ports['aws']}")
    with step("deploy infra/template.yaml") as remark:
        stack.create_secrets(aws, settings.secret_values(workspace, bot_secret))
        outputs, made = stack.deploy(
            aws, processes, TEMPLATE, binaries, toml.encode(), ROOT / ".local" / "zips", operator_senders=ACCOUNT
        )
        remark(f"{len(packages.functions(TEMPLATE.read_text()))} functions, {made} packed anew")
    with step("start the demo bot" + ("" if real else " and the Intercom sandbox")):
        start_bot(processes, directory, ports["bot"], bot_secret, workspace, outputs)
        if not real:
            start_sandbox(processes, directory, binaries, ports["sandbox"], bot_url)
    with step("put the access token, sealed (baton token put)"):
        put_token(aws, binaries, directory / "baton.toml", workspace)
        if not real:
            register_webhook(aws, sandbox_url, workspace, outputs)

    say(f"  ready after {time.monotonic() - started:.1f} s")
    if real:
        _serve_real(processes, directory, ports, workspace, outputs)
        return
    with Trail(aws, sandbox_url):
        for story in (Story, ChatStory):
            story(processes, aws, outputs, sandbox_url, bot_url, workspace).play()
        if not options.once:
            _show_addresses(
                {
                    "Intercom sandbox": sandbox_url,
                    "webhook": f"{outputs['WebhookUrlBase']}/{workspace.webhook_path}",
                    "demo bot's log": f"{bot_url}/log",
                    "AWS": f"{aws.url} (key and secret: test)",
                    "inbox queue": outputs["InboxQueueUrl"],
                    "replies queue": outputs["RepliesQueueUrl"],
                    "logs": str((directory / "logs").relative_to(ROOT)),
                }
            )
            _wait_for_ctrl_c(processes)


def _options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--once", action="store_true", default=os.environ.get("ONCE", "") not in ("", "0"), help="end after the story"
    )
    parser.add_argument("--any-ports", action="store_true", help="take the next free ports when the usual ones are taken")
    return parser.parse_args()


def part_from_the_caller():
    """Keeps the caller's AWS account and Intercom secrets away from every child; returns INTERCOM_*."""
    intercom = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("INTERCOM_")}
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    return intercom


def _ports(options, real):
    wanted = {
        "aws": ("BATON_AWS_PORT", 4566, "the local AWS"),
        "sandbox": ("BATON_SANDBOX_PORT", 4020, "the Intercom sandbox"),
        "bot": ("BATON_BOT_PORT", 4030, "the demo bot"),
        "webhook": ("BATON_WEBHOOK_PORT", 4040, "the plain webhook address"),
    }
    del wanted["sandbox" if real else "webhook"]
    base = 20000 if options.any_ports else 0
    ports = {"sandbox": 0}
    for name, (variable, default, what) in wanted.items():
        ports[name] = choose_port(variable, base + default, what, any_free=options.any_ports)
    return ports


def build(processes):
    """Builds the functions and the `baton` tool; the directory of the binaries."""
    if not shutil.which("cargo"):
        raise Failure("cargo is not installed", hint="Install Rust with rustup; rust-toolchain.toml picks the version.")
    if not (shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")):
        raise Failure("no C compiler", hint="Install gcc or clang; some crates bring C code and everything is linked with it.")
    names = packages.functions(TEMPLATE.read_text())
    command = ["cargo", "build", *(arg for name in [*names, "baton-cli"] for arg in ("--package", name))]
    with step("build the functions and the sandbox (cargo build)", streams=True):
        if processes.run("cargo", command, cwd=ROOT) != 0:
            raise Failure("the build failed; cargo says why above")
    return Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target") / "debug"


def start_bot(processes, directory, port, secret, workspace, outputs):
    """Starts the demo bot, whose own chats people of a workspace help in, and waits until it answers."""
    commands = f"{outputs['BotCommandsUrlBase']}/demo/commands"
    processes.start(
        "demo bot",
        [sys.executable, str(DEMO_BOT), "--port", str(port), "--app", workspace.app_id, "--commands", commands],
        env={**os.environ, "BOT_SECRET": secret},
        log=directory / "logs" / "bot.log",
    )
    processes.wait_until(lambda: _answers(f"http://127.0.0.1:{port}/log"), "the demo bot to answer", 30, log_of=["demo bot"])


def start_sandbox(processes, directory, binaries, port, bot_url):
    """Starts the Intercom sandbox, its page with the chats of the bot platform, and waits until it answers."""
    record = directory / "intercom-requests.jsonl"
    record.unlink(missing_ok=True)
    processes.start(
        "sandbox",
        [str(binaries / "baton"), "sandbox", "--listen", f"127.0.0.1:{port}", "--record", str(record), "--bot", bot_url],
        log=directory / "logs" / "sandbox.log",
        cwd=ROOT,
    )
    health = f"http://127.0.0.1:{port}/_sandbox/health"
    processes.wait_until(lambda: _answers(health), "the sandbox to answer", 30, log_of=["sandbox"])


def put_token(aws, binaries, settings_file, workspace):
    """Puts a workspace's access token, as an operator does."""
    command = [str(binaries / "baton"), "token", "put", workspace.app_id, "--settings", str(settings_file), "--stack", stack.STACK]
    done = subprocess.run(
        command, input=workspace.access_token, env={**os.environ, **aws.environment()}, capture_output=True, text=True, timeout=60
    )
    if done.returncode != 0:
        raise Failure("the access token could not be put", log=done.stderr)


def register_webhook(aws, sandbox_url, workspace, outputs):
    """Has the sandbox send a workspace's webhooks to the deployment, which must take the first one."""
    hook = f"{outputs['WebhookUrlBase']}/{workspace.webhook_path}"
    status, body = request("POST", f"{sandbox_url}/_sandbox/{workspace.app_id}/webhook", {"url": hook})
    if status != 200 or json.loads(body)["ping_status"] != 200:
        raise Failure(
            "the webhook could not be registered",
            log="\n".join([body.decode(errors="replace"), *aws.function_logs()]),
        )


def _answers(url):
    try:
        return request("GET", url)[0] == 200
    except OSError:
        return False


def _serve_real(processes, directory, ports, workspace, outputs):
    host = outputs["WebhookUrlBase"].split("/")[2]
    forwarder = Path(__file__).with_name("forwarder.py")
    processes.start(
        "forwarder",
        [sys.executable, str(forwarder), str(ports["webhook"]), host, str(ports["aws"])],
        log=directory / "logs" / "forwarder.log",
    )
    local = f"http://127.0.0.1:{ports['webhook']}"
    _show_addresses(
        {
            "workspace": f"{workspace.name} ({workspace.app_id}, {workspace.region.upper()})",
            "bot teammate": workspace.bot_teammate,
            "point a tunnel at": local,
            "webhook path": f"/intercom/{workspace.webhook_path}",
            "demo bot's log": f"http://127.0.0.1:{ports['bot']}/log",
            "logs": str((directory / "logs").relative_to(ROOT)),
        }
    )
    say("  In Developer Hub > Webhooks, set the endpoint to your tunnel's address followed by the webhook path.")
    _wait_for_ctrl_c(processes)


def _show_addresses(addresses):
    say()
    width = max(map(len, addresses))
    for name, address in addresses.items():
        say(f"  {name.ljust(width)}  {paint(address, 36)}")


def _wait_for_ctrl_c(processes):
    say()
    say("  Ctrl-C stops everything.")
    while True:
        processes.check_alive()
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
