"""The rules that the template must keep. Each takes the template and returns what it found wrong.

cfn-lint knows whether a template is well formed; these know what Baton depends on. Every rule is shown
to be able to fail in test_template.py, on a copy of the template with that one thing broken.
"""

import re

from template_file import all_queues, consumers, functions, many, package, queues, resources, statements, target

PUBLIC_ROUTES = {
    "HEAD /intercom/{webhook_path}": "WebhookIngressFunction",
    "POST /intercom/{webhook_path}": "WebhookIngressFunction",
    "POST /bots/{bot}/commands": "BotIngressFunction",
}
QUEUES_THAT_BOTS_WRITE = {"RepliesQueue", "CloseQueue"}
FOURTEEN_DAYS = 14 * 24 * 3600
LAMBDA_TIMEOUT_LIMIT_SECONDS = 900
API_TIMEOUT_LIMIT_SECONDS = 29


def fifo_batches_fit(template):
    """SQS hands out at most 10 messages of a FIFO queue, and knows no batching window for one."""
    wrong = []
    for name, _, event, queue in consumers(template):
        if not 1 <= event.get("BatchSize", 10) <= 10:
            wrong.append(f"{name} takes {event['BatchSize']} messages of {queue}, more than 10")
        if "MaximumBatchingWindowInSeconds" in event:
            wrong.append(f"{name} has a batching window on the FIFO queue {queue}")
    return wrong


def visibility_covers_the_consumer(template):
    """A message stays hidden for six times the time that its consumer may take, as AWS asks."""
    wrong = []
    for name, function, _, queue in consumers(template):
        least = 6 * function["Timeout"]
        visible_after = all_queues(template)[queue].get("VisibilityTimeout", 30)
        if visible_after < least:
            wrong.append(f"{queue} shows a message again after {visible_after} s; {name} needs {least} s")
    return wrong


def failures_are_reported_one_by_one(template):
    """Each consumer reports the messages that failed, so that one does not take its batch with it."""
    return [
        f"{name} has FunctionResponseTypes {event.get('FunctionResponseTypes')}"
        for name, _, event, _ in consumers(template)
        if event.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]
    ]


def every_queue_has_one_consumer(template):
    """A queue without a consumer keeps what it gets; two consumers break the order."""
    consumed = [queue for *_, queue in consumers(template)]
    return [
        f"{queue} has {consumed.count(queue)} consumers" for queue in queues(template) if consumed.count(queue) != 1
    ]


def architectures_exist(template):
    """Lambda knows arm64 and x86_64, spelt so."""
    known = {"arm64", "x86_64"}
    parameter = template["Parameters"]["Architecture"]
    wrong = []
    if not set(parameter["AllowedValues"]) <= known or parameter["Default"] != "arm64":
        wrong.append(f"the parameter Architecture allows {parameter['AllowedValues']}")
    for name, function in functions(template).items():
        if function.get("Architectures") != [{"Ref": "Architecture"}]:
            wrong.append(f"{name} has Architectures {function.get('Architectures')}")
        if function.get("Runtime") != "provided.al2023" or function.get("Handler") != "bootstrap":
            wrong.append(f"{name} is not a provided.al2023 function with a bootstrap")
    return wrong


def timeouts_fit(template):
    """Each function says how long it may take, within Lambda's limit, or within the API's for its routes."""
    wrong = []
    public = set(PUBLIC_ROUTES.values())
    for name, function in functions(template).items():
        limit = API_TIMEOUT_LIMIT_SECONDS if name in public else LAMBDA_TIMEOUT_LIMIT_SECONDS
        timeout = function.get("Timeout")
        if not isinstance(timeout, int) or not 1 <= timeout <= limit:
            wrong.append(f"{name} has the timeout {timeout}; the limit is {limit} s")
    return wrong


def every_queue_has_its_dead_letter_queue(template):
    """What fails eight times is put aside, in a queue of its own that keeps it at least as long."""
    wrong, taken = [], set()
    everything = all_queues(template)
    for name, queue in queues(template).items():
        redrive = queue.get("RedrivePolicy") or {}
        dead = target(redrive.get("deadLetterTargetArn"))
        if dead not in everything or dead in taken or dead == name:
            wrong.append(f"{name} has no dead-letter queue of its own")
            continue
        taken.add(dead)
        if redrive.get("maxReceiveCount") != 100:
            wrong.append(f"{name} gives a message up after {redrive.get('maxReceiveCount')} tries, not 100")
        if everything[dead].get("MessageRetentionPeriod", 0) < queue.get("MessageRetentionPeriod", 0):
            wrong.append(f"{dead} keeps messages for less time than {name}")
    wrong += [f"{name} is nobody's dead-letter queue" for name in set(everything) - set(queues(template)) - taken]
    return wrong


def every_dead_letter_queue_has_an_alarm(template):
    """A message that was given up is seen by somebody."""
    watched = {
        target(dimension["Value"])
        for alarm in resources(template, "AWS::CloudWatch::Alarm").values()
        if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
        and (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
        for dimension in alarm["Dimensions"]
    }
    return [f"{name} has no alarm" for name in set(all_queues(template)) - set(queues(template)) - watched]


def queues_keep_order_per_conversation(template):
    """Every queue is FIFO, dedupes by an id that the sender chose, and is fast per message group."""
    wanted = {
        "FifoQueue": True,
        "ContentBasedDeduplication": False,
        "DeduplicationScope": "messageGroup",
        "FifoThroughputLimit": "perMessageGroupId",
        "MessageRetentionPeriod": FOURTEEN_DAYS,
    }
    return [
        f"{name} has {key} {queue.get(key)}, not {value}"
        for name, queue in all_queues(template).items()
        for key, value in wanted.items()
        if queue.get(key) != value
    ]


def queues_are_encrypted(template):
    """What waits in a queue is encrypted."""
    return [f"{name} is not encrypted" for name, queue in all_queues(template).items() if queue.get("SqsManagedSseEnabled") is not True]


def queues_are_tls_only(template):
    """Each queue refuses every call that does not come over TLS."""
    guarded = {
        target(statement["Resource"])
        for policy in resources(template, "AWS::SQS::QueuePolicy").values()
        for statement, condition in statements(policy["PolicyDocument"])
        if condition is None
        and (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "sqs:*")
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        and target(statement["Resource"]) in [target(queue) for queue in policy["Queues"]]
    }
    return [f"{name} takes calls without TLS" for name in set(all_queues(template)) - guarded]


def only_bots_write_from_outside(template):
    """Bots may write to replies and close, when they are named, and nobody else is let in."""
    wrong, open_to_bots = [], set()
    for name, policy in resources(template, "AWS::SQS::QueuePolicy").items():
        for statement, condition in statements(policy["PolicyDocument"]):
            if statement["Effect"] != "Allow":
                continue
            allowed = (statement["Principal"], statement["Action"], condition)
            if allowed != ({"AWS": {"Ref": "BotPrincipalArns"}}, "sqs:SendMessage", "HasBotPrincipals"):
                wrong.append(f"{name} allows {allowed}")
            open_to_bots.add(target(statement["Resource"]))
    if open_to_bots != QUEUES_THAT_BOTS_WRITE:
        wrong.append(f"bots may write to {sorted(open_to_bots)}, not to {sorted(QUEUES_THAT_BOTS_WRITE)}")
    return wrong


def the_table_is_safe(template):
    """Backed up by the second, encrypted, protected from deletion, kept when the stack goes."""
    wrong = []
    for name, table in resources(template, "AWS::DynamoDB::Table").items():
        if table.get("PointInTimeRecoverySpecification") != {"PointInTimeRecoveryEnabled": True}:
            wrong.append(f"{name} has no point-in-time recovery")
        if table.get("SSESpecification") != {"SSEEnabled": True}:
            wrong.append(f"{name} is not encrypted")
        if (
            table.get("DeletionProtectionEnabled") != {"Ref": "TableDeletionProtection"}
            or template["Parameters"]["TableDeletionProtection"]["Default"] != "true"
        ):
            wrong.append(f"{name} is not protected from deletion")
        resource = template["Resources"][name]
        if not resource.get("DeletionPolicy") == resource.get("UpdateReplacePolicy") == "Retain":
            wrong.append(f"{name} goes with the stack")
        if table.get("TimeToLiveSpecification") != {"AttributeName": "expires_at", "Enabled": True}:
            wrong.append(f"{name} does not let expired rows go")
    return wrong


def tokens_open_for_the_callers_of_intercom_only(template, purpose):
    """The key lets exactly the functions that are given it open, operators seal, both for its purpose, and nobody else anything that could read; it rotates, and is not lost with the stack."""
    wrong = []
    account = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
    for_its_purpose = {"StringEquals": {"kms:EncryptionContext:purpose": purpose}}
    users = {
        target(function["Role"])
        for function in functions(template).values()
        if "TOKEN_KEY_ARN" in function["Environment"]["Variables"]
    }
    keys = resources(template, "AWS::KMS::Key")
    if list(keys) != ["TokenKey"]:
        wrong.append(f"the keys are {list(keys)}")
    for name, key in keys.items():
        resource = template["Resources"][name]
        if not resource.get("DeletionPolicy") == resource.get("UpdateReplacePolicy") == "Retain":
            wrong.append(f"{name} goes with the stack")
        if key.get("EnableKeyRotation") is not True:
            wrong.append(f"{name} does not rotate")
        opened = sealed = False
        for statement, condition in statements(key["KeyPolicy"]):
            actions, said = many(statement["Action"]), statement.get("Condition")
            if statement["Effect"] != "Allow" or condition or "NotAction" in statement or "NotPrincipal" in statement:
                wrong.append(f"{name} has a statement of another form: {statement}")
            elif actions == ["kms:Decrypt"]:
                opened = True
                roles = {target(role) for role in many(statement["Principal"]["AWS"])}
                if roles != users:
                    wrong.append(f"{name} opens for {sorted(roles)}, but {sorted(users)} are given it")
                if said != for_its_purpose:
                    wrong.append(f"{name} opens when {said}")
            elif actions == ["kms:Encrypt"]:
                sealed = True
                if statement["Principal"] != account or said != for_its_purpose:
                    wrong.append(f"{name} seals for {statement['Principal']} when {said}")
            elif statement["Principal"] != account or said:
                wrong.append(f"{name} is administered by {statement['Principal']} when {said}")
            elif reading := [action for action in actions if "*" in action or action.removeprefix("kms:").startswith(READING)]:
                wrong.append(f"{name} lets its administrators do {reading}")
        if not (opened and sealed):
            wrong.append(f"{name} opens or seals for nobody")
    wrong += [line for line in rights(template) if " kms:" in line]
    return wrong


# What opens, what makes something that opens, and what lets somebody else do it without this policy.
READING = ("Decrypt", "Encrypt", "ReEncrypt", "GenerateDataKey", "CreateGrant", "ReplicateKey", "Sign", "DeriveSharedSecret")


def the_public_surface_is_known(template):
    """Exactly the known routes are public, each to its function, without throttling (Intercom must not see a 429)."""
    wrong = []
    integrations = resources(template, "AWS::ApiGatewayV2::Integration")
    routes = {}
    for route in resources(template, "AWS::ApiGatewayV2::Route").values():
        integration = target(route["Target"]).removeprefix("integrations/${").rstrip("}")
        routes[route["RouteKey"]] = target(integrations.get(integration, {}).get("IntegrationUri"))
    if routes != PUBLIC_ROUTES:
        wrong.append(f"the public routes are {routes}")
    for name, integration in integrations.items():
        if (integration["IntegrationType"], integration["PayloadFormatVersion"]) != ("AWS_PROXY", "2.0"):
            wrong.append(f"{name} is not an AWS_PROXY integration with payload 2.0")
    for name, stage in resources(template, "AWS::ApiGatewayV2::Stage").items():
        if "DefaultRouteSettings" in stage or "RouteSettings" in stage:
            wrong.append(f"{name} has route settings, which may throttle")
    others = {
        "AWS::Serverless::HttpApi", "AWS::Serverless::Api", "AWS::ApiGateway::RestApi", "AWS::Lambda::Url",
        "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::CloudFront::Distribution",
    }  # fmt: skip
    wrong += [f"{name} is public too" for name, resource in template["Resources"].items() if resource["Type"] in others]
    for name, function in functions(template).items():
        if "FunctionUrlConfig" in function or any(
            event["Type"] not in ("SQS", "Schedule") for event in function.get("Events", {}).values()
        ):
            wrong.append(f"{name} is reachable in another way")
    for name, permission in resources(template, "AWS::Lambda::Permission").items():
        if permission["Principal"] != "apigateway.amazonaws.com" or "${HttpApi}/" not in target(permission.get("SourceArn")):
            wrong.append(f"{name} lets others than this API call")
    return wrong


def rights(template):
    """What each role may do, as lines: role, effect, action, resource and condition."""
    lines = []
    for name, role in resources(template, "AWS::IAM::Role").items():
        for managed in role.get("ManagedPolicyArns", []):
            lines.append(f"{name} has the managed policy {target(managed)}")
        for policy in role.get("Policies", []):
            for statement, condition in statements(policy["PolicyDocument"]):
                where = f" if {condition}" if condition else ""
                extra = f" when {statement['Condition']}" if "Condition" in statement else ""
                lines += [
                    f"{name} {statement['Effect'].lower()} {action} on {target(resource)}{where}{extra}"
                    for action in many(statement["Action"])
                    for resource in many(statement["Resource"])
                ]
    return sorted(lines)


def rights_are_exact(template, expected):
    """Each role may do what is written in iam.txt, no more and no less."""
    found = rights(template)
    return [f"new: {line}" for line in found if line not in expected] + [
        f"gone: {line}" for line in expected if line not in found
    ]


def conditions_are_the_codes_keys(template, partitions):
    """A right that is only for some keys of the table is for those that the code uses there, all of them and no other.

    The local AWS does not know dynamodb:LeadingKeys: without this a partition that the code adds would be refused for the
    first time where it is deployed."""
    wrong = []
    for name, role in resources(template, "AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            for statement, _ in statements(policy["PolicyDocument"]):
                for test, keys in statement.get("Condition", {}).items():
                    found = (test, keys.get("dynamodb:LeadingKeys"))
                    if "dynamodb:LeadingKeys" in keys and found not in partitions:
                        wrong.append(f"{name} has rights for the keys {found}, the code uses {partitions}")
    return wrong


def the_sweep_ends_in_time(template, sweep_ms):
    """The sweep stops by itself, with time for one more call, before Lambda stops it."""
    timeout = template["Resources"]["ReconcileFunction"]["Properties"].get("Timeout", 3)
    return [] if timeout * 1000 >= sweep_ms + 10_000 else [f"reconcile goes on for {sweep_ms} ms, and is stopped after {timeout} s"]


def metrics_hear_what_is_decided(template, decisions):
    """What a metric filter listens for among the decisions is one that the code can make."""
    wrong = []
    for name, metric in resources(template, "AWS::Logs::MetricFilter").items():
        heard = re.findall(r'\$\.decisions = "\*(\w+)\*"', metric["FilterPattern"])
        wrong += [f"{name} listens for {decision}, which nobody decides" for decision in heard if decision not in decisions]
    return wrong


def nothing_is_granted_by_wildcard(template):
    """No role, and no policy that allows, names an action or a resource by a wildcard; there is no exception.

    A condition may have one: it takes away, and grants nothing."""
    granted = [line.partition(" when ")[0] for line in rights(template)]
    return [line for line in granted if "*" in line or "NotAction" in line]


def each_function_has_a_role_of_its_own(template):
    """One role a function, assumed by Lambda only, with a log group that forgets."""
    wrong, taken = [], set()
    roles = resources(template, "AWS::IAM::Role")
    groups = resources(template, "AWS::Logs::LogGroup")
    for name, function in functions(template).items():
        role = target(function.get("Role"))
        if role not in roles or role in taken or "Policies" in function:
            wrong.append(f"{name} has no role of its own")
            continue
        taken.add(role)
        trust = [statement for statement, _ in statements(roles[role]["AssumeRolePolicyDocument"])]
        if trust != [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]:
            wrong.append(f"{role} can be assumed by others than Lambda")
        group = target(function.get("LoggingConfig", {}).get("LogGroup"))
        if group not in groups or "RetentionInDays" not in groups[group]:
            wrong.append(f"{name} has no log group that forgets")
    return wrong + [f"{name} belongs to no function" for name in set(roles) - taken]


def senders_are_trusted_as_they_write(template):
    """TRUSTED_SENDERS names exactly Baton's own roles that may write to the function's queue."""
    wrong = []
    for name, function, _, queue in consumers(template):
        trusted = function["Environment"]["Variables"].get("TRUSTED_SENDERS")
        if queue not in QUEUES_THAT_BOTS_WRITE:
            if trusted:
                wrong.append(f"{name} trusts senders, but bots do not write to {queue}")
            continue
        separator, senders = (trusted or {"Fn::Join": [",", []]})["Fn::Join"]
        roles = {sender["Fn::GetAtt"][0] for sender in senders if sender.get("Fn::GetAtt", [None, None])[1] == "RoleId"}
        others = [sender for sender in senders if "Fn::GetAtt" not in sender]
        writers = {line.split()[0] for line in rights(template) if line.split()[1:5] == ["allow", "sqs:SendMessage", "on", queue]}
        if separator != "," or roles != writers:
            wrong.append(f"{name} trusts {sorted(roles)}; to {queue} write {sorted(writers)}")
        if others != [{"Fn::If": ["HasOperatorSenders", {"Ref": "OperatorSenderIds"}, {"Ref": "AWS::NoValue"}]}]:
            wrong.append(f"{name} trusts others: {others}")
    return wrong


def names_agree(template):
    """bot-reply (package) is BotReplyFunction, its role BotReplyRole, its log group of the same name."""
    wrong = []
    for name, function in functions(template).items():
        stem = "".join(word.capitalize() for word in package(function).split("-"))
        expected = (f"{stem}Function", f"{stem}Role", f"{stem}LogGroup", {"Fn::Sub": "${AWS::StackName}-" + package(function)})
        found = (name, target(function.get("Role")), target(function.get("LoggingConfig", {}).get("LogGroup")), function.get("FunctionName"))
        if found != expected:
            wrong.append(f"{name}: {found} instead of {expected}")
    return wrong


def variables_agree(template, code):
    """Each function is given the variables that it reads, and no other. `code` maps packages to names."""
    wrong = []
    for name, function in functions(template).items():
        given, read = set(function["Environment"]["Variables"]), code[package(function)]
        wrong += [f"{name} is given {variable}, which {package(function)} does not read" for variable in sorted(given - read)]
        wrong += [f"{package(function)} reads {variable}, which {name} is not given" for variable in sorted(read - given)]
    return wrong


def variables_are_what_they_say(template):
    """X_QUEUE_URL is the queue X, DEAD_LETTER_QUEUE_URL that of the function's own queue; secrets come from the secret of that name; the table is the table, the key the key."""
    secrets = {"WEBHOOK_SECRETS": "webhook-secrets", "BOT_SECRETS": "bot-secrets"}
    wrong = []
    for name, function in functions(template).items():
        for variable, value in function["Environment"]["Variables"].items():
            if variable == "DEAD_LETTER_QUEUE_URL":
                sources = [event["Properties"]["Queue"] for event in function["Events"].values() if event["Type"] == "SQS"]
                expected = {"Ref": sources[0]["Fn::GetAtt"][0].replace("Queue", "DeadLetterQueue")} if sources else None
            elif variable.endswith("_QUEUE_URL"):
                stem = "".join(word.capitalize() for word in variable.removesuffix("_QUEUE_URL").split("_"))
                expected = {"Ref": f"{stem}Queue"}
            elif variable in secrets:
                expected = {"Fn::Sub": "{{resolve:secretsmanager:${SecretsPrefix}/" + secrets[variable] + ":SecretString}}"}
            elif variable == "TABLE_NAME":
                expected = {"Ref": "Table"}
            elif variable == "TOKEN_KEY_ARN":
                expected = {"Fn::GetAtt": ["TokenKey", "Arn"]}
            else:
                continue
            if value != expected:
                wrong.append(f"{name} is given {variable} = {value}")
    return wrong
