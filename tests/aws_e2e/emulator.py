"""MiniStack, made fit for a test of minutes.

emulator.py SECONDS_A_MINUTE: how long a minute of a schedule lasts. It ends when its own standard input ends.
"""

import os
import signal
import socketserver
import sys
import threading

from ministack import app
from ministack.services import eventbridge, scheduler
from ministack.services.cloudformation import provisioners

# As shipped, each invocation waits 40 ms for Nagle's algorithm.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True

# It does not know saved queries: they are made without doing anything.
provisioners._RESOURCE_HANDLERS["AWS::Logs::QueryDefinition"] = {
    "create": lambda logical_id, props, stack_name: (f"{stack_name}-{logical_id}", {}),
    "delete": lambda physical_id, props: None,
}

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
