"""infra/template.yaml keeps every rule of rules.py, and every rule is able to fail.

Runs with pytest or with plain unittest. A break without a rule that reports it fails the run, and so
does a rule without a break.
"""

import copy
import re
import shutil
import tempfile
import unittest
from contextlib import contextmanager
from pathlib import Path

import rules
from template_file import ROOT, TEMPLATE, functions, load, package, variables_of_the_code

EXPECTED_RIGHTS = (Path(__file__).parent / "iam.txt").read_text().splitlines()


def tokens_open_for_the_callers_of_intercom_only(template):
    """rules.tokens_open_for_the_callers_of_intercom_only, with the purpose that the code names."""
    code = (ROOT / "shared" / "src" / "domain" / "token.rs").read_text()
    (purpose,) = re.findall(r'pub const PURPOSE: &str = "([a-z-]+)";', code)
    return rules.tokens_open_for_the_callers_of_intercom_only(template, purpose)


def rights_are_exact(template):
    """rules.rights_are_exact, against iam.txt."""
    return rules.rights_are_exact(template, EXPECTED_RIGHTS)


def _code(path, pattern):
    """What the code says, at the one place that says it."""
    (found,) = re.findall(pattern, (ROOT / "shared" / "src" / path).read_text())
    return found


def conditions_are_the_codes_keys(template):
    """rules.conditions_are_the_codes_keys, with the partitions of the adapters."""
    shards = int(_code("adapters/inbox_rows.rs", r"const SHARDS: u8 = (\d+);"))
    inbox = _code("adapters/inbox_rows.rs", r'format!\("([^"]*)\{shard\}"\)')
    budget = _code("adapters/budgets.rs", r'format!\("\{app_id\}([^"]*)"\)')
    partitions = [
        ("ForAllValues:StringEquals", [f"{inbox}{shard}" for shard in range(shards)]),
        ("ForAllValues:StringLike", [f"*{budget}"]),
    ]
    return rules.conditions_are_the_codes_keys(template, partitions)


def the_sweep_ends_in_time(template):
    """rules.the_sweep_ends_in_time, with the time that the code takes."""
    sweep_ms = int(_code("app/catch_up.rs", r"pub const SWEEP_MS: u64 = ([\d_]+);").replace("_", ""))
    return rules.the_sweep_ends_in_time(template, sweep_ms)


def metrics_hear_what_is_decided(template):
    """rules.metrics_hear_what_is_decided, with the names of the decisions."""
    names = (ROOT / "shared" / "src" / "domain" / "step" / "mod.rs").read_text().partition("impl Decision {")[2]
    return rules.metrics_hear_what_is_decided(template, set(re.findall(r'Self::\w+ => "(\w+)"', names)))


RULES = [
    rules.fifo_batches_fit,
    rules.visibility_covers_the_consumer,
    rules.failures_are_reported_one_by_one,
    rules.every_queue_has_one_consumer,
    rules.architectures_exist,
    rules.timeouts_fit,
    rules.every_queue_has_its_dead_letter_queue,
    rules.every_dead_letter_queue_has_an_alarm,
    rules.queues_keep_order_per_conversation,
    rules.queues_are_encrypted,
    rules.queues_are_tls_only,
    rules.only_bots_write_from_outside,
    rules.the_table_is_safe,
    tokens_open_for_the_callers_of_intercom_only,
    rules.the_public_surface_is_known,
    rights_are_exact,
    conditions_are_the_codes_keys,
    the_sweep_ends_in_time,
    metrics_hear_what_is_decided,
    rules.nothing_is_granted_by_wildcard,
    rules.each_function_has_a_role_of_its_own,
    rules.senders_are_trusted_as_they_write,
    rules.names_agree,
    rules.variables_are_what_they_say,
]


def _properties(template, name):
    return template["Resources"][name]["Properties"]


def _event(template, function, event):
    return _properties(template, function)["Events"][event]["Properties"]


def _statements(template, role):
    return _properties(template, role)["Policies"][0]["PolicyDocument"]["Statement"]


def _conditions(template, role):
    return [statement["Condition"] for statement in _statements(template, role) if "Condition" in statement]


def _key_statement(template, position):
    return _properties(template, "TokenKey")["KeyPolicy"]["Statement"][position]


def _policy(template, name):
    return _properties(template, name)["PolicyDocument"]["Statement"]


def _variables(template, function):
    return _properties(template, function)["Environment"]["Variables"]


# Each break is one thing wrong with the template, and the rule that must see it.
BREAKS = {
    "a batch of 11 of a FIFO queue": (
        rules.fifo_batches_fit,
        lambda t: _event(t, "BotReplyFunction", "Replies").update(BatchSize=11),
    ),
    "a batching window on a FIFO queue": (
        rules.fifo_batches_fit,
        lambda t: _event(t, "BotReplyFunction", "Replies").update(MaximumBatchingWindowInSeconds=1),
    ),
    "a visibility timeout below six times the function's": (
        rules.visibility_covers_the_consumer,
        lambda t: _properties(t, "RepliesQueue").update(VisibilityTimeout=179),
    ),
    "no visibility timeout, which means 30 s": (
        rules.visibility_covers_the_consumer,
        lambda t: _properties(t, "InboxQueue").pop("VisibilityTimeout"),
    ),
    "a function that takes longer than its queue hides": (
        rules.visibility_covers_the_consumer,
        lambda t: _properties(t, "CloseConversationFunction").update(Timeout=31),
    ),
    "ReportBatchItemFailures misspelt": (
        rules.failures_are_reported_one_by_one,
        lambda t: _event(t, "BotDispatchFunction", "BotEvents").update(FunctionResponseTypes=["ReportBatchItemFailure"]),
    ),
    "no FunctionResponseTypes": (
        rules.failures_are_reported_one_by_one,
        lambda t: _event(t, "ConversationRouterFunction", "Inbox").pop("FunctionResponseTypes"),
    ),
    "a queue that nobody reads": (
        rules.every_queue_has_one_consumer,
        lambda t: _properties(t, "CloseConversationFunction").pop("Events"),
    ),
    "an architecture misspelt in the parameter": (
        rules.architectures_exist,
        lambda t: t["Parameters"]["Architecture"].update(AllowedValues=["arm64", "x86-64"]),
    ),
    "an architecture misspelt at a function": (
        rules.architectures_exist,
        lambda t: _properties(t, "ReconcileFunction").update(Architectures=["amd64"]),
    ),
    "another runtime": (
        rules.architectures_exist,
        lambda t: t["Globals"]["Function"].update(Runtime="provided.al2"),
    ),
    "a timeout over 900 s": (
        rules.timeouts_fit,
        lambda t: _properties(t, "ReconcileFunction").update(Timeout=901),
    ),
    "no timeout, which means 3 s": (
        rules.timeouts_fit,
        lambda t: _properties(t, "ReconcileFunction").pop("Timeout"),
    ),
    "a public function that outlasts the API": (
        rules.timeouts_fit,
        lambda t: _properties(t, "BotIngressFunction").update(Timeout=30),
    ),
    "a partition that the code does not have": (
        conditions_are_the_codes_keys,
        lambda t: _conditions(t, "WebhookIngressRole")[0].update(
            {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["#inbox0", "#inbox1", "#inbox2"]}}
        ),
    ),
    "a sweep that is stopped in the middle": (
        the_sweep_ends_in_time,
        lambda t: _properties(t, "ReconcileFunction").update(Timeout=50),
    ),
    "a metric of what nobody decides": (
        metrics_hear_what_is_decided,
        lambda t: _properties(t, "ArrivedLateMetric").update(FilterPattern='{ $.decisions = "*came_late*" }'),
    ),
    "a queue without a dead-letter queue": (
        rules.every_queue_has_its_dead_letter_queue,
        lambda t: _properties(t, "CloseQueue").pop("RedrivePolicy"),
    ),
    "two queues with one dead-letter queue": (
        rules.every_queue_has_its_dead_letter_queue,
        lambda t: _properties(t, "CloseQueue").update(RedrivePolicy=_properties(t, "InboxQueue")["RedrivePolicy"]),
    ),
    "another number of tries": (
        rules.every_queue_has_its_dead_letter_queue,
        lambda t: _properties(t, "CloseQueue")["RedrivePolicy"].update(maxReceiveCount=1),
    ),
    "a dead-letter queue that forgets early": (
        rules.every_queue_has_its_dead_letter_queue,
        lambda t: _properties(t, "InboxDeadLetterQueue").update(MessageRetentionPeriod=345600),
    ),
    "a dead-letter queue without an alarm": (
        rules.every_dead_letter_queue_has_an_alarm,
        lambda t: t["Resources"].pop("RepliesDeadLetterAlarm"),
    ),
    "a queue that is not FIFO": (
        rules.queues_keep_order_per_conversation,
        lambda t: _properties(t, "RepliesQueue").pop("FifoQueue"),
    ),
    "deduplication by content": (
        rules.queues_keep_order_per_conversation,
        lambda t: _properties(t, "RepliesQueue").update(ContentBasedDeduplication=True),
    ),
    "a queue in the clear": (
        rules.queues_are_encrypted,
        lambda t: _properties(t, "BotEventsQueue").update(SqsManagedSseEnabled=False),
    ),
    "a queue without its policy": (
        rules.queues_are_tls_only,
        lambda t: t["Resources"].pop("InboxDeadLetterQueuePolicy"),
    ),
    "a TLS-only statement turned round": (
        rules.queues_are_tls_only,
        lambda t: _policy(t, "RepliesQueuePolicy")[0].update(Condition={"Bool": {"aws:SecureTransport": "true"}}),
    ),
    "a TLS-only statement for another queue": (
        rules.queues_are_tls_only,
        lambda t: _policy(t, "CloseQueuePolicy")[0].update(Resource={"Fn::GetAtt": ["RepliesQueue", "Arn"]}),
    ),
    "everybody may write to a queue": (
        rules.only_bots_write_from_outside,
        lambda t: _policy(t, "RepliesQueuePolicy")[1]["Fn::If"][1].update(Principal="*"),
    ),
    "bots may write to the inbox": (
        rules.only_bots_write_from_outside,
        lambda t: _policy(t, "InboxQueuePolicy").append(
            {**copy.deepcopy(_policy(t, "RepliesQueuePolicy")[1]["Fn::If"][1]), "Resource": {"Fn::GetAtt": ["InboxQueue", "Arn"]}}
        ),
    ),
    "bots may read the replies": (
        rules.only_bots_write_from_outside,
        lambda t: _policy(t, "RepliesQueuePolicy")[1]["Fn::If"][1].update(Action="sqs:ReceiveMessage"),
    ),
    "no point-in-time recovery": (
        rules.the_table_is_safe,
        lambda t: _properties(t, "Table").pop("PointInTimeRecoverySpecification"),
    ),
    "a table in the clear": (
        rules.the_table_is_safe,
        lambda t: _properties(t, "Table").update(SSESpecification={"SSEEnabled": False}),
    ),
    "no deletion protection by default": (
        rules.the_table_is_safe,
        lambda t: t["Parameters"]["TableDeletionProtection"].update(Default="false"),
    ),
    "no deletion protection at all": (
        rules.the_table_is_safe,
        lambda t: _properties(t, "Table").pop("DeletionProtectionEnabled"),
    ),
    "a table that goes with its stack": (
        rules.the_table_is_safe,
        lambda t: t["Resources"]["Table"].pop("DeletionPolicy"),
    ),
    "another time-to-live attribute": (
        rules.the_table_is_safe,
        lambda t: _properties(t, "Table").update(TimeToLiveSpecification={"AttributeName": "ttl", "Enabled": True}),
    ),
    "a fourth public route": (
        rules.the_public_surface_is_known,
        lambda t: t["Resources"].update(
            Another={"Type": "AWS::ApiGatewayV2::Route", "Properties": {"RouteKey": "GET /admin", "Target": "x"}}
        ),
    ),
    "a route for any method": (
        rules.the_public_surface_is_known,
        lambda t: _properties(t, "WebhookPostRoute").update(RouteKey="ANY /intercom/{webhook_path}"),
    ),
    "a route to another function": (
        rules.the_public_surface_is_known,
        lambda t: _properties(t, "BotIngressIntegration").update(IntegrationUri={"Fn::GetAtt": ["ReconcileFunction", "Arn"]}),
    ),
    "a throttled stage": (
        rules.the_public_surface_is_known,
        lambda t: _properties(t, "HttpApiStage").update(DefaultRouteSettings={"ThrottlingRateLimit": 10}),
    ),
    "a function with a URL of its own": (
        rules.the_public_surface_is_known,
        lambda t: _properties(t, "ReconcileFunction").update(FunctionUrlConfig={"AuthType": "NONE"}),
    ),
    "a function that any API may call": (
        rules.the_public_surface_is_known,
        lambda t: _properties(t, "BotIngressPermission").pop("SourceArn"),
    ),
    "a right more": (
        rights_are_exact,
        lambda t: _statements(t, "BotIngressRole")[1].update(Action=["sqs:SendMessage", "sqs:PurgeQueue"]),
    ),
    "a right less": (rights_are_exact, lambda t: _statements(t, "ReconcileRole").pop()),
    "a right on another queue": (
        rights_are_exact,
        lambda t: _statements(t, "BotIngressRole")[1].update(Resource={"Fn::GetAtt": ["InboxQueue", "Arn"]}),
    ),
    "a managed policy": (
        rights_are_exact,
        lambda t: _properties(t, "BotIngressRole").update(ManagedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"]),
    ),
    "a wildcard action": (
        rules.nothing_is_granted_by_wildcard,
        lambda t: _statements(t, "BotReplyRole")[1].update(Action="sqs:*"),
    ),
    "a wildcard resource": (
        rules.nothing_is_granted_by_wildcard,
        lambda t: _statements(t, "BotReplyRole")[2].update(Resource={"Fn::Sub": "${Table.Arn}/*"}),
    ),
    "two functions with one role": (
        rules.each_function_has_a_role_of_its_own,
        lambda t: _properties(t, "BotIngressFunction").update(Role={"Fn::GetAtt": ["BotReplyRole", "Arn"]}),
    ),
    "a role that anybody may assume": (
        rules.each_function_has_a_role_of_its_own,
        lambda t: _properties(t, "BotIngressRole")["AssumeRolePolicyDocument"]["Statement"][0].update(Principal="*"),
    ),
    "logs that are kept for ever": (
        rules.each_function_has_a_role_of_its_own,
        lambda t: _properties(t, "BotReplyLogGroup").pop("RetentionInDays"),
    ),
    "a writer that is not trusted": (
        rules.senders_are_trusted_as_they_write,
        lambda t: _variables(t, "BotReplyFunction")["TRUSTED_SENDERS"]["Fn::Join"][1].pop(0),
    ),
    "a trusted sender that does not write": (
        rules.senders_are_trusted_as_they_write,
        lambda t: _variables(t, "CloseConversationFunction")["TRUSTED_SENDERS"]["Fn::Join"][1].insert(
            0, {"Fn::GetAtt": ["BotIngressRole", "RoleId"]}
        ),
    ),
    "everybody is trusted": (
        rules.senders_are_trusted_as_they_write,
        lambda t: _variables(t, "BotReplyFunction").pop("TRUSTED_SENDERS"),
    ),
    "a name that does not follow": (
        rules.names_agree,
        lambda t: _properties(t, "BotReplyFunction").update(CodeUri="build/reply/"),
    ),
    "a variable with another queue's address": (
        rules.variables_are_what_they_say,
        lambda t: _variables(t, "BotReplyFunction").update(CLOSE_QUEUE_URL={"Ref": "RepliesQueue"}),
    ),
    "a variable with another secret": (
        rules.variables_are_what_they_say,
        lambda t: _variables(t, "WebhookIngressFunction").update(WEBHOOK_SECRETS=_variables(t, "BotIngressFunction")["BOT_SECRETS"]),
    ),
    "a variable with another key": (
        rules.variables_are_what_they_say,
        lambda t: _variables(t, "BotReplyFunction").update(TOKEN_KEY_ARN={"Fn::GetAtt": ["OtherKey", "Arn"]}),
    ),
    "a key that opens for a function that does not call Intercom": (
        tokens_open_for_the_callers_of_intercom_only,
        lambda t: _key_statement(t, 2)["Principal"]["AWS"].append({"Fn::GetAtt": ["BotDispatchRole", "Arn"]}),
    ),
    "a key that does not open for one that does": (
        tokens_open_for_the_callers_of_intercom_only,
        lambda t: _key_statement(t, 2)["Principal"]["AWS"].pop(),
    ),
    "a key that opens for the account": (
        tokens_open_for_the_callers_of_intercom_only,
        lambda t: _key_statement(t, 2).update(Principal=_key_statement(t, 0)["Principal"]),
    ),
    "a key that opens for any purpose": (
        tokens_open_for_the_callers_of_intercom_only,
        lambda t: _key_statement(t, 2).pop("Condition"),
    ),
    "a key that opens for another purpose than the code's": (
        tokens_open_for_the_callers_of_intercom_only,
        lambda t: _key_statement(t, 2)["Condition"]["StringEquals"].update({"kms:EncryptionContext:purpose": "token"}),
    ),
    "a key that seals for any purpose": (
        tokens_open_for_the_callers_of_intercom_only,
        lambda t: _key_statement(t, 1).pop("Condition"),
    ),
    "a key whose administrators open": (
        tokens_open_for_the_callers_of_intercom_only,
        lambda t: _key_statement(t, 0)["Action"].append("kms:Decrypt"),
    ),
    "a key whose administrators let others open": (
        tokens_open_for_the_callers_of_intercom_only,
        lambda t: _key_statement(t, 0)["Action"].append("kms:CreateGrant"),
    ),
    "a key whose administrators may do all": (
        tokens_open_for_the_callers_of_intercom_only,
        lambda t: _key_statement(t, 0).update(Action="kms:*"),
    ),
    "a role that opens by its own policy": (
        tokens_open_for_the_callers_of_intercom_only,
        lambda t: _statements(t, "BotDispatchRole")[2].update(Action="kms:Decrypt"),
    ),
    "a key that does not rotate": (
        tokens_open_for_the_callers_of_intercom_only,
        lambda t: _properties(t, "TokenKey").pop("EnableKeyRotation"),
    ),
    "a key that goes with the stack": (
        tokens_open_for_the_callers_of_intercom_only,
        lambda t: t["Resources"]["TokenKey"].pop("DeletionPolicy"),
    ),
    "a second key": (
        tokens_open_for_the_callers_of_intercom_only,
        lambda t: t["Resources"].update(OtherKey=copy.deepcopy(t["Resources"]["TokenKey"])),
    ),
}


class TheTemplate(unittest.TestCase):
    """The template as it is."""

    maxDiff = None

    def test_keeps_every_rule(self):
        template = load()
        for rule in RULES:
            with self.subTest(rule.__name__):
                self.assertEqual(rule(template), [], rule.__doc__)

    def test_gives_each_function_the_variables_that_its_code_reads(self):
        self.assertEqual(rules.variables_agree(load(), variables_of_the_code()), [])

    def test_describes_every_function_that_there_is(self):
        there = sorted(manifest.parent.name for manifest in (ROOT / "functions").glob("*/Cargo.toml"))
        described = re.findall(r"CodeUri: build/([a-z-]+)/", TEMPLATE.read_text())
        self.assertEqual(sorted(described), there)

    def test_lets_no_wildcard_in_through_a_parameter(self):
        parameters = load()["Parameters"]
        for name, good in {
            "BotPrincipalArns": "arn:aws:iam::123456789012:role/bot",
            "BotQueueArns": "arn:aws:sqs:eu-central-1:123456789012:bot-events.fifo",
        }.items():
            allowed = re.compile(parameters[name]["AllowedPattern"])
            self.assertTrue(allowed.fullmatch(good) and allowed.fullmatch(""), name)
            for bad in ("*", "arn:aws:iam::123456789012:role/*", "arn:aws:sqs:*:*:*"):
                self.assertIsNone(allowed.fullmatch(bad), f"{name} takes {bad}")


class EachRule(unittest.TestCase):
    """The rules on copies of the template with one thing broken."""

    def test_reports_what_it_is_for(self):
        for what, (rule, do_break) in BREAKS.items():
            with self.subTest(what):
                template = load()
                do_break(template)
                self.assertNotEqual(template, load(), "the break breaks nothing")
                self.assertNotEqual(rule(template), [], f"{rule.__name__} does not see it")

    def test_is_shown_to_fail(self):
        shown = {rule for rule, _ in BREAKS.values()}
        self.assertEqual([rule.__name__ for rule in RULES if rule not in shown], [])

    def test_of_variables_reports_each_kind_of_disagreement(self):
        template = load()
        code = {package(function): set(function["Environment"]["Variables"]) for function in functions(template).values()}
        self.assertEqual(rules.variables_agree(template, code), [])
        code["bot-reply"].add("REPLY_QUEUE_URL")
        code["bot-reply"].remove("TABLE_NAME")
        self.assertEqual(
            rules.variables_agree(template, code),
            [
                "BotReplyFunction is given TABLE_NAME, which bot-reply does not read",
                "bot-reply reads REPLY_QUEUE_URL, which BotReplyFunction is not given",
            ],
        )

    def test_of_variables_sees_what_is_read_through_shared_code(self):
        with _project() as root:
            (root / "shared/src/lambda").mkdir(parents=True)
            (root / "shared/src/config.rs").write_text('pub fn settings(&mut self) { self.needed("SETTINGS_FILE") }')
            (root / "shared/src/lambda/wiring.rs").write_text(
                """
                pub fn desk(environment: &mut Environment) -> Desk { environment.needed("TABLE_NAME"); environment.settings() }
                // It once read "OLD_NAME".
                pub fn office() { desk(environment); environment.needed("TRUSTED_SENDERS") }
                pub fn nobody_calls_this() { environment.needed("UNUSED_NAME") }
                #[cfg(test)] mod tests { fn a_test() { desk(); environment.needed("TEST_NAME") } }
                """
            )
            for function in functions(load()).values():
                source = root / "functions" / package(function) / "src"
                source.mkdir(parents=True)
                (source / "main.rs").write_text('fn main() { environment.optional("LOG_LEVEL"); wiring::office(x) }')
            read = variables_of_the_code(root)
        self.assertEqual(read["bot-reply"], {"LOG_LEVEL", "TRUSTED_SENDERS", "TABLE_NAME", "SETTINGS_FILE"})

    def test_of_variables_does_not_pass_for_want_of_code(self):
        with _project() as root, self.assertRaisesRegex(FileNotFoundError, "MISSING"):
            variables_of_the_code(root)


@contextmanager
def _project():
    """A directory with the template and nothing else."""
    with tempfile.TemporaryDirectory() as root:
        (Path(root) / "infra").mkdir()
        shutil.copy(TEMPLATE, Path(root) / "infra")
        yield Path(root)


if __name__ == "__main__":
    unittest.main()
