// The Node client `ali-ons` against the name server given as first argument, capability by capability: a verdict each,
// then "N passed, N failed". Further arguments choose capabilities. The exit status is how many failed.
'use strict';

const assert = require('assert');
const { Consumer, Message, Producer } = require('ali-ons');

// What takes longer on loopback does not happen at all.
const PATIENCE = 60_000;
const nameServer = process.argv[2];
const run = `node-${Date.now().toString(16)}-${process.pid}`;

const quiet = { info() {}, warn() {}, error() {}, debug() {} };
const sleep = span => new Promise(done => setTimeout(done, span));
let clients = 0;

// Clients of one instance name share their connections; each has its own here.
function common() {
  // It asks for name servers by HTTP only where it has no `nameSrv`, but wants to be able to.
  return { nameSrv: nameServer, httpclient: {}, logger: quiet, unitName: `${run}-${++clients}`, rebalanceInterval: 1_000 };
}

async function producer(topic) {
  const made = new Producer({ ...common(), producerGroup: `p-${topic}` });
  made.on('error', () => {});
  await made.ready();
  return made;
}

// What a consumer got, in order, with the time it came.
class Inbox {
  got = [];

  keep(message) {
    this.got.push({
      text: message.body.toString(),
      tries: message.reconsumeTimes,
      tags: message.tags,
      keys: message.keys,
      own: message.properties['märchen'],
      at: Date.now(),
    });
    return this.got.length;
  }

  texts() {
    return this.got.map(each => each.text);
  }

  async wait(count) {
    const deadline = Date.now() + PATIENCE;
    while (this.got.length < count) {
      if (Date.now() > deadline) throw new Error(`${count} messages expected, ${this.texts()} came`);
      await sleep(20);
    }
  }

  async expect(texts) {
    await this.wait(texts.length);
    assert.deepStrictEqual(this.texts().sort(), [...texts].sort());
  }
}

async function consumer(topic, handle, expression = '*', options = {}) {
  const made = new Consumer({
    ...common(),
    consumerGroup: `g-${topic}`,
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    ...options,
  });
  made.on('error', () => {});
  made.subscribe(topic, expression, async message => handle(message));
  await made.ready();
  return made;
}

// Apache's broker is busy when it has only just started: the client does not try that again by itself.
async function sent(sender, make) {
  for (let attempt = 0; ; attempt++) {
    try {
      const receipt = await sender.send(make());
      assert.strictEqual(receipt.sendStatus, 'SEND_OK');
      assert.ok(receipt.msgId);
      return receipt;
    } catch (error) {
      if (attempt === 19) throw error;
      await sleep(200);
    }
  }
}

// The client sends to no topic that has no route yet, and so makes none by sending.
async function known(sender, topic) {
  const client = sender._mqClient;
  const defaults = 'TBW102';
  const route = await client.getDefaultTopicRouteInfoFromNameServer(defaults, 3_000);
  for (const broker of route.brokerDatas) {
    const topicConfig = { topicName: topic, readQueueNums: 4, writeQueueNums: 4, perm: 6, topicFilterType: 'SINGLE_TAG', topicSysFlag: 0, order: false };
    await client.createTopic(broker.brokerAddrs[0], defaults, topicConfig, 3_000);
  }
}

async function sendAll(topic, makes) {
  const sender = await producer(topic);
  await known(sender, topic);
  for (const make of makes) await sent(sender, make);
  await sender.close();
}

function texts(count) {
  return Array.from({ length: count }, (_, i) => `m${String(i).padStart(2, '0')}`);
}

const plain = (topic, text) => () => new Message(topic, null, text);

async function received(topic, wanted, expression, options) {
  const inbox = new Inbox();
  const reader = await consumer(topic, message => inbox.keep(message), expression, options);
  await inbox.expect(wanted);
  await reader.close();
  return inbox;
}

async function send(topic) {
  await sendAll(topic, texts(8).map(text => plain(topic, text)));
  await received(topic, texts(8));
}

async function send_large_compressed(topic) {
  const text = 'compressible '.repeat(8_000);
  await sendAll(topic, [plain(topic, text)]);
  await received(topic, [text]);
}

async function properties(topic) {
  await sendAll(topic, [() => {
    const message = new Message(topic, 'A', 'Größe 😀');
    message.keys = ['k1', 'k2'];
    message.properties['märchen'] = 'Größe 😀';
    return message;
  }]);
  const inbox = await received(topic, ['Größe 😀']);
  const { tags, keys, own } = inbox.got[0];
  assert.deepStrictEqual({ tags, keys: String(keys), own }, { tags: 'A', keys: 'k1 k2', own: 'Größe 😀' });
}

const tagged = topic => texts(9).map((text, i) => () => {
  const message = new Message(topic, 'ABC'[i % 3], text);
  message.properties.n = String(i % 3);
  return message;
});
const notB = texts(9).filter((_, i) => i % 3 !== 1);

async function tags(topic) {
  await sendAll(topic, tagged(topic));
  await received(topic, notB, 'A || C');
}

async function sql92(topic) {
  await sendAll(topic, tagged(topic));
  await received(topic, notB, { expressionType: 'SQL92', subString: "n <> 1 AND TAGS IN ('A', 'C')" });
}

// The client has no orderly consumer; it handles the messages of a queue one after the other.
async function order_by_key(topic) {
  // It sends what hashes to queue 0, as `key1` does, to the queues in turn.
  const keys = ['key0', 'key3', 'key4'];
  const makes = Array.from({ length: 30 }, (_, i) => () => {
    const message = new Message(topic, null, `${i % 3}:${String(Math.floor(i / 3)).padStart(2, '0')}`);
    message.shardingKey = keys[i % 3];
    return message;
  });
  await sendAll(topic, makes);
  const inbox = new Inbox();
  const reader = await consumer(topic, message => inbox.keep(message));
  await inbox.wait(30);
  await reader.close();
  for (const key of ['0', '1', '2']) {
    const mine = inbox.texts().filter(text => text.startsWith(`${key}:`));
    assert.deepStrictEqual(mine, [...mine].sort());
    assert.strictEqual(mine.length, 10);
  }
}

async function delay_level(topic) {
  const inbox = new Inbox();
  await sendAll(topic, [plain(topic, 'first')]);
  const reader = await consumer(topic, message => inbox.keep(message));
  await inbox.wait(1);
  const begun = Date.now();
  await sendAll(topic, [() => {
    const message = new Message(topic, null, 'late');
    message.delayTimeLevel = 2;
    return message;
  }]);
  await inbox.wait(2);
  await reader.close();
  const took = inbox.got[1].at - begun;
  assert.ok(took > 4_900 && took < 10_000, `came after ${took} ms instead of 5,000`);
}

// The client leaves the delay to the broker: ten seconds by the usual ladder.
async function retry(topic) {
  const inbox = new Inbox();
  await sendAll(topic, [plain(topic, 'first')]);
  const refuseAtFirst = message => (inbox.keep(message) < 2 ? Consumer.ACTION_RETRY : undefined);
  const reader = await consumer(topic, refuseAtFirst);
  await inbox.wait(2);
  await reader.close();
  assert.deepStrictEqual(inbox.got.map(each => [each.text, each.tries]), [['first', 0], ['first', 1]]);
}

async function broadcasting(topic) {
  await sendAll(topic, [plain(topic, 'first')]);
  const inboxes = [new Inbox(), new Inbox()];
  const readers = [];
  for (const inbox of inboxes) {
    readers.push(await consumer(topic, message => inbox.keep(message), '*', { isBroadcast: true }));
  }
  for (const inbox of inboxes) await inbox.wait(1);
  await sendAll(topic, texts(8).map(text => plain(topic, text)));
  for (const inbox of inboxes) await inbox.expect(['first', ...texts(8)]);
  for (const reader of readers) await reader.close();
}

// A second consumer of the group goes on where the first stopped.
async function committed_offset(topic) {
  await sendAll(topic, texts(8).map(text => plain(topic, text)));
  await received(topic, texts(8));
  await sendAll(topic, [plain(topic, 'later')]);
  await received(topic, ['later']);
}

const capabilities = { send, send_large_compressed, properties, tags, sql92, order_by_key, delay_level, retry, broadcasting, committed_offset };

async function tooLong() {
  await sleep(1.5 * PATIENCE);
  throw new Error('it did not come to an end');
}

// One that fails is tried again in a topic of its own: Apache's broker drops requests while it warms up.
async function verdict(name) {
  let cause;
  for (const attempt of ['', '-again']) {
    try {
      await Promise.race([capabilities[name](`${run}-${name}${attempt}`), tooLong()]);
      return 'ok';
    } catch (error) {
      cause = error;
    }
  }
  return `FAILED: ${cause.message}`;
}

async function main() {
  const chosen = Object.keys(capabilities).filter(name => process.argv.length < 4 || process.argv.slice(3).includes(name));
  const verdicts = await Promise.all(chosen.map(verdict));
  chosen.forEach((name, i) => console.log(`${name.padEnd(24)} ${verdicts[i]}`));
  const failed = verdicts.filter(said => said !== 'ok').length;
  console.log(`${chosen.length - failed} passed, ${failed} failed`);
  process.exit(failed);
}

process.on('unhandledRejection', () => {});
main();
