"""AWS on this machine: one ministack process on loop-back, with IAM enforced, forgotten at its end."""

import json
import os
import shutil
import sys
import urllib.error
import urllib.request
from pathlib import Path

import boto3
from botocore.config import Config

# Starts ministack; see there for the one thing that it sets right.
SERVER = Path(__file__).with_name("aws_server.py")

REGION = "us-east-1"
ACCOUNT = "000000000000"

# ministack's root account. It is no secret: the port is bound to loop-back and nothing is kept.
ROOT_KEY, ROOT_SECRET = "test", "test"

# Lines that Lambda itself writes around each invocation.
PLATFORM_LINES = ("START RequestId", "END RequestId", "REPORT RequestId")

# What a function may inherit from the caller's environment besides its own variables: how to get out
# to the internet. Everything else stays outside, above all the caller's credentials.
INHERITED = ("PATH", "HOME", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy")


class Aws:
    """A running ministack."""

    def __init__(self, processes, port, directory):
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._processes = processes
        self._temporary = directory / "tmp"
        self._log = directory / "logs" / "aws.log"
        self._session = boto3.Session(ROOT_KEY, ROOT_SECRET, region_name=REGION)

    def start(self):
        """Starts it and waits until it answers."""
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir(parents=True)
        environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
        environment |= {
            "AUTH": "true",
            "AWS_ACCESS_KEY_ID": ROOT_KEY,
            "AWS_SECRET_ACCESS_KEY": ROOT_SECRET,
            # Functions reach AWS here. On real AWS they find it without being told.
            "AWS_ENDPOINT_URL": self.url,
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": REGION,
            "NO_PROXY": "127.0.0.1,localhost",
            "PERSIST_STATE": "0",
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(self._temporary),
        }
        self._processes.start("aws", [sys.executable, SERVER], log=self._log, env=environment)
        self._processes.wait_until(self._answers, "ministack to answer", 30, log_of=["aws"])

    def _answers(self):
        try:
            return get_json(f"{self.url}/_ministack/health")["auth"] == "enabled"
        except (OSError, ValueError):
            return False

    def client(self, service):
        """A client of one AWS service, as the account's root."""
        return self._session.client(
            service,
            endpoint_url=self.url,
            config=Config(retries={"total_max_attempts": 1}, proxies={}, s3={"addressing_style": "path"}),
        )

    def environment(self):
        """What a program needs in its environment to reach it, as the account's root."""
        return {
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ROOT_KEY,
            "AWS_SECRET_ACCESS_KEY": ROOT_SECRET,
            "AWS_ENDPOINT_URL": self.url,
        }

    def function_logs(self, lines=40):
        """The last lines that each function logged."""
        client = self.client("logs")
        shown = []
        for group in client.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]:
            name = group["logGroupName"]
            events = client.filter_log_events(logGroupName=name)["events"]
            said = [line for event in events for line in event["message"].splitlines() if not line.startswith(PLATFORM_LINES)]
            shown += [f"--- {name} ---", *said[-lines:]] if said else []
        return shown


_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def request(method, url, body=None, headers=None, raw=None):
    """One HTTP call on this machine, past any proxy: (status, body). Raises OSError when nobody answers.

    `body` is sent as JSON, `raw` as it is.
    """
    data = json.dumps(body).encode() if body is not None else raw
    call = urllib.request.Request(url, data, {"content-type": "application/json", **(headers or {})}, method=method)
    try:
        with _direct.open(call, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def get_json(url):
    """The JSON at a URL on this machine."""
    status, body = request("GET", url)
    if status != 200:
        raise ValueError(f"GET {url}: {status}: {body[:300].decode(errors='replace')}")
    return json.loads(body)
