"""A program of somebody else's that uses MaaS through kazoo: enqueues requests, registers and reads endpoints.

kazoo_client.py CONNECT VERB [ARGUMENT...]; every answer is JSON on standard output, one document a line.

offer                 every line of standard input is a message (JSON string, sent as its UTF-8 bytes) for /maas/queue
offer-base64          the same, lines in base64, for messages that are no text
offer-drop            the same as offer, then the session is left without a goodbye
services NAME         the registrations of NAME, each with its path and whether it is ephemeral
register NAME ID      registers what standard input holds, persistent, as Metron's runner does
unregister NAME ID    removes a registration
sweep PATH            deletes PATH and all below it
acl PATH              the node's ACL
try-create PATH       "created" or the name of the error, without credentials
"""

import base64
import json
import os
import sys

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException

QUEUE = "/maas/queue"
SERVICES = "/maas/service"


def say(value):
    print(json.dumps(value), flush=True)


def offer(zk, messages):
    zk.ensure_path(QUEUE)
    for message in messages:
        path = zk.create(QUEUE + "/qn-", message, sequence=True)
        say(path.rsplit("/", 1)[1])


def main():
    connect, verb, *rest = sys.argv[1:]
    zk = KazooClient(hosts=connect, timeout=10.0)
    zk.start(timeout=15)
    if verb == "offer":
        offer(zk, (json.loads(line).encode("utf-8") for line in sys.stdin if line.strip()))
    elif verb == "offer-base64":
        offer(zk, (base64.b64decode(line) for line in sys.stdin))
    elif verb == "offer-drop":
        offer(zk, (json.loads(line).encode("utf-8") for line in sys.stdin if line.strip()))
        os._exit(0)
    elif verb == "services":
        root = SERVICES + "/" + rest[0]
        for child in sorted(zk.get_children(root)) if zk.exists(root) else []:
            data, stat = zk.get(root + "/" + child)
            say({"id": child, "data": json.loads(data), "keys": list(json.loads(data)), "ephemeral": stat.ephemeralOwner != 0})
    elif verb == "register":
        zk.ensure_path(SERVICES + "/" + rest[0])
        zk.create("/".join((SERVICES, *rest)), sys.stdin.buffer.read())
        say("registered")
    elif verb == "unregister":
        zk.delete("/".join((SERVICES, *rest)))
        say("unregistered")
    elif verb == "sweep":
        zk.delete(rest[0], recursive=True)
        say("swept")
    elif verb == "acl":
        acls, _ = zk.get_acls(rest[0])
        say([{"perms": acl.perms, "scheme": acl.id.scheme, "id": acl.id.id} for acl in acls])
    elif verb == "try-create":
        try:
            zk.create(rest[0], b"")
            say("created")
        except KazooException as error:
            say(type(error).__name__)
    else:
        sys.exit("no verb " + verb)
    zk.stop()


main()
