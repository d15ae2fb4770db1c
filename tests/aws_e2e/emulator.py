"""MiniStack, made fit for a test of minutes.

emulator.py SECONDS_A_MINUTE: how long a minute of a schedule lasts. It ends when its own standard input ends.
"""

import dataclasses
import os
import signal
import socketserver
import sys
import threading

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import eventbridge, scheduler
from ministack.services.cloudformation import changesets, engine, handlers, provisioners, stacks

# As shipped, each invocation waits 40 ms for Nagle's algorithm.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True

# It does not know saved queries: they are made without doing anything.
provisioners._RESOURCE_HANDLERS["AWS::Logs::QueryDefinition"] = {
    "create": lambda logical_id, props, stack_name: (f"{stack_name}-{logical_id}", {}),
    "delete": lambda physical_id, props: None,
}

# In conditions it knows neither Fn::Join nor Fn::Split.
evaluate_conditions = engine._evaluate_conditions


def with_text_functions(template, params, *args, **kwargs):
    def resolve_texts(value):
        if isinstance(value, list):
            return [resolve_texts(each) for each in value]
        if not isinstance(value, dict):
            return value
        value = {key: resolve_texts(each) for key, each in value.items()}
        if "Ref" in value and value["Ref"] in params:
            return params[value["Ref"]]["Value"]
        if "Fn::Split" in value:
            return value["Fn::Split"][1].split(value["Fn::Split"][0])
        if "Fn::Join" in value:
            delimiter, items = value["Fn::Join"]
            return delimiter.join(items.split(",") if isinstance(items, str) else items)
        return value

    conditions = resolve_texts(template.get("Conditions", {}))
    return evaluate_conditions({**template, "Conditions": conditions}, params, *args, **kwargs)


for module in (changesets, engine, handlers, provisioners, stacks):
    if hasattr(module, "_evaluate_conditions"):
        module._evaluate_conditions = with_text_functions

# It takes the variables of policies literally.
resolve = iam_evaluator.resolve_principal


def resolve_with_variables(*args, **kwargs):
    principal = resolve(*args, **kwargs)
    if getattr(principal, "policies", None):
        variables = {f"${{{key}}}": value for key, value in principal.keys.items()}

        def fill(resource):
            for variable, value in variables.items():
                resource = resource.replace(variable, value)
            return resource

        principal.policies = [
            [dataclasses.replace(each, resources=[fill(resource) for resource in each.resources]) for each in policy]
            for policy in principal.policies
        ]
    return principal


iam_evaluator.resolve_principal = resolve_with_variables

# Of the conditions on a PUT it knows encryption and ACL.
context_of = iam_actions._s3_object_context


def whole_context(iam_action, query_params, path, headers):
    context = context_of(iam_action, query_params, path, headers)
    if iam_action == "s3:PutObject":
        for name in ("x-amz-storage-class", "x-amz-server-side-encryption-customer-algorithm"):
            if headers.get(name):
                context[f"s3:{name}"] = headers[name]
    return context


iam_actions._s3_object_context = whole_context

# Schedules are looked at each 10 s, and count in minutes.
seconds_a_minute = int(sys.argv.pop(1))
scheduler._SCHEDULE_TICK_INTERVAL = 1
eventbridge._SCHEDULER_TICK_INTERVAL = 1
whole = eventbridge._parse_rate_seconds


def scaled(expression):
    rate = whole(expression)
    return None if rate is None else rate * seconds_a_minute // 60


eventbridge._parse_rate_seconds = scaled


def end_with_the_caller():
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


threading.Thread(target=end_with_the_caller, daemon=True).start()
app.main()
