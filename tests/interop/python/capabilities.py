"""The C++ client, through the Python package that carries its library, against the name server given as first argument,
capability by capability: a verdict each, then "N passed, N failed". Further arguments choose capabilities. The exit
status is how many failed."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from rocketmq.client import Message, Producer, PullConsumer, PushConsumer
from rocketmq.ffi import MessageModel, dll

# What takes longer on loopback does not happen at all.
PATIENCE = 60
RUN = "cpp-%x-%d" % (int(time.time() * 1000), os.getpid())
NAME_SERVER = sys.argv[1]
FATAL = 1


class Inbox:
    """What a consumer got, in order, with the time it came."""

    def __init__(self):
        self.lock, self.got = threading.Lock(), []

    def keep(self, message):
        # The library frees the message when the callback returns.
        with self.lock:
            self.got.append((message.body.decode(), message.reconsume_times, message.tags, message.keys, time.time()))
            return len(self.got)

    def texts(self):
        with self.lock:
            return [each[0] for each in self.got]

    def wait(self, count):
        deadline = time.time() + PATIENCE
        while time.time() < deadline:
            if len(self.texts()) >= count:
                return
            time.sleep(0.02)
        raise AssertionError("%d messages expected, %r came" % (count, self.texts()))

    def expect(self, texts):
        self.wait(len(texts))
        same(sorted(texts), sorted(self.texts()))


def same(wanted, got):
    assert wanted == got, "%r expected, got %r" % (wanted, got)


class Started:
    """A producer or consumer between its start and its end."""

    def __init__(self, client, quiet):
        quiet(client._handle, FATAL)
        client.set_namesrv_addr(NAME_SERVER)
        self.client = client

    def __enter__(self):
        self.client.start()
        return self.client

    def __exit__(self, *_):
        self.client.shutdown()


def producer(topic):
    return Started(Producer("p-" + topic), dll.SetProducerLogLevel)


def consumer(topic, handle, tags="*", group=None, member="one", **options):
    push = PushConsumer(group or "g-" + topic, **options)
    push.set_instance_name(member + topic)
    push.subscribe(topic, handle, tags)
    return Started(push, dll.SetPushConsumerLogLevel)


def message(topic, text, tags=None, level=None):
    made = Message(topic)
    made.set_body(text)
    if tags:
        made.set_tags(tags)
    if level:
        made.set_delay_time_level(level)
    return made


def sent(sender, one):
    """Apache's broker is busy when it has only just started: the client does not try that again by itself."""
    for attempt in range(20):
        try:
            receipt = sender.send_sync(one)
            assert receipt.status == 0 and receipt.msg_id, receipt
            return receipt
        except Exception:
            if attempt == 19:
                raise
            time.sleep(0.2)


def known(topic, text="first"):
    """Makes the topic by a first message."""
    with producer(topic) as sender:
        sent(sender, message(topic, text))


def texts(count):
    return ["m%02d" % i for i in range(count)]


def received(topic, wanted, **options):
    inbox = Inbox()
    with consumer(topic, inbox.keep, **options):
        inbox.expect(wanted)
    return inbox


def send_sync(topic):
    with producer(topic) as sender:
        for text in texts(8):
            sent(sender, message(topic, text))
    received(topic, texts(8))


def send_async(topic):
    answers = []
    with producer(topic) as sender:
        sent(sender, message(topic, "m00"))
        for text in texts(8)[1:]:
            sender.send_async(message(topic, text), lambda receipt: answers.append(receipt.status), answers.append)
        deadline = time.time() + PATIENCE
        while len(answers) < 7 and time.time() < deadline:
            time.sleep(0.02)
    same([0] * 7, answers)
    received(topic, texts(8))


def send_oneway(topic):
    with producer(topic) as sender:
        sent(sender, message(topic, "m00"))
        for text in texts(8)[1:]:
            sender.send_oneway(message(topic, text))
        received(topic, texts(8))


def send_large_compressed(topic):
    text = "compressible " * 8000
    known(topic, text)
    received(topic, [text])


def properties(topic):
    with producer(topic) as sender:
        one = message(topic, "Größe 😀", tags="A")
        one.set_keys("k1 k2")
        sent(sender, one)
    inbox = received(topic, ["Größe 😀"])
    same((b"A", b"k1 k2"), inbox.got[0][2:4])


def tags(topic):
    with producer(topic) as sender:
        for i, text in enumerate(texts(9)):
            sent(sender, message(topic, text, tags="ABC"[i % 3]))
    received(topic, [text for i, text in enumerate(texts(9)) if i % 3 != 1], tags="A || C")


def in_order(got):
    for key in range(3):
        mine = [text for text in got if text.startswith("%d:" % key)]
        same(["%d:%02d" % (key, i) for i in range(len(mine))], mine)


def orderly(topic):
    known(topic, "x:first")
    with producer(topic) as sender:
        for i in range(30):
            same(0, sender.send_orderly(message(topic, "%d:%02d" % (i % 3, i // 3)), i % 3).status)
    inbox = Inbox()
    with consumer(topic, inbox.keep, orderly=True):
        inbox.wait(31)
    in_order(inbox.texts())


def delay_level(topic):
    known(topic)
    inbox = Inbox()
    with consumer(topic, inbox.keep):
        inbox.wait(1)
        begun = time.time()
        with producer(topic) as sender:
            sent(sender, message(topic, "late", level=2))
        inbox.wait(2)
    took = inbox.got[1][4] - begun
    assert 4.9 < took < 10, "came after %.1f s instead of 5 s" % took


class Refused(Exception):
    """What the package prints and turns into a later try."""


def retry(topic):
    """The client leaves the delay to the broker: ten seconds by the usual ladder."""
    known(topic)
    inbox = Inbox()

    def refuse_at_first(each):
        if inbox.keep(each) < 2:
            raise Refused("on purpose")

    with consumer(topic, refuse_at_first):
        inbox.wait(2)
    same([("first", 0), ("first", 1)], [each[:2] for each in inbox.got])


def broadcasting(topic):
    """Members of this client start at the end of a topic, at a moment that they do not tell."""
    known(topic)
    inboxes = [Inbox(), Inbox()]
    with consumer(topic, inboxes[0].keep, member="one", message_model=MessageModel.BROADCASTING), \
            consumer(topic, inboxes[1].keep, member="two", message_model=MessageModel.BROADCASTING), \
            producer(topic) as sender:
        deadline = time.time() + PATIENCE
        while not set(inboxes[0].texts()) & set(inboxes[1].texts()) and time.time() < deadline:
            sent(sender, message(topic, "m%f" % time.time()))
            time.sleep(0.1)
    assert set(inboxes[0].texts()) & set(inboxes[1].texts()), "no message came to both members"


def pull(topic):
    known(topic)
    with producer(topic) as sender:
        for text in texts(8):
            sent(sender, message(topic, text))
    with Started(PullConsumer("g-" + topic), dll.SetPullConsumerLogLevel) as puller:
        got = [each.body.decode() for each in puller.pull(topic)]
    same(sorted(["first"] + texts(8)), sorted(got))


CAPABILITIES = [send_sync, send_async, send_oneway, send_large_compressed, properties, tags, orderly,
                delay_level, retry, broadcasting, pull]


def alone(capability):
    """Runs in a process of its own: the library does not bear several clients starting and ending at the same time."""
    topic = "%s-%s" % (RUN, capability.__name__)
    try:
        capability(topic)
        said = "ok"
    except Exception as failed:
        said = "FAILED: %s: %s" % (type(failed).__name__, failed)
    print(said, flush=True)
    # The library's own threads do not end in every order.
    os._exit(0 if said == "ok" else 1)


def verdict(capability):
    """One that fails is tried again: Apache's broker drops requests while it warms up, and the library may crash."""
    said = ""
    for _ in range(2):
        command = [sys.executable, __file__, NAME_SERVER, "--alone", capability.__name__]
        child = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True)
        if child.returncode == 0:
            return "ok"
        said = child.stdout.strip() or "FAILED: the process ended with %d" % child.returncode
    return said


def main():
    if "--alone" in sys.argv:
        alone(globals()[sys.argv[3]])
    chosen = [each for each in CAPABILITIES if len(sys.argv) == 2 or each.__name__ in sys.argv[2:]]
    with ThreadPoolExecutor(6) as pool:
        verdicts = list(pool.map(verdict, chosen))
    for capability, said in zip(chosen, verdicts):
        print("%-24s %s" % (capability.__name__, said))
    failed = sum(said != "ok" for said in verdicts)
    print("%d passed, %d failed" % (len(chosen) - failed, failed))
    sys.exit(failed)


if __name__ == "__main__":
    main()
