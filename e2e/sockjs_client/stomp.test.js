import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Peer, within } from '../stompjs/peer.js';
import { Server } from '../stompjs/server.js';
import { TEXTS } from './text.js';
import { connect, TRANSPORTS } from './transports.js';

/** A little under the largest body that the server takes. */
const LARGE = 900 * 1024;
const MANY = 200;

let server;
before(async () => {
  server = await Server.start();
});
after(() => server?.stop());

const rawWebSocket = () => ({ url: `${server.url}/websocket` });

for (const transport of TRANSPORTS) {
  test(`${transport}: a client connects, hears itself and leaves`, async () => {
    const peer = await connect(server, transport, { connectHeaders: { login: 'ada' } });
    assert.deepEqual([peer.greeting.headers.version, peer.greeting.headers['user-name']], ['1.2', 'ada']);
    const messages = await peer.subscribe(`/topic/self-${transport}`);
    await peer.publish(`/topic/self-${transport}`, 'hello');
    const message = await messages.next();
    assert.deepEqual([message.body, message.headers.destination], ['hello', `/topic/self-${transport}`]);
    messages.subscription.unsubscribe();
    const closed = await peer.leave();
    assert.deepEqual([closed.code, closed.wasClean], [1000, true]);
  });

  test(`${transport}: every kind of text arrives, in bodies and in headers`, async () => {
    const peer = await connect(server, transport);
    const topic = `/topic/text-${transport}`;
    const messages = await peer.subscribe(topic);
    for (const [kind, body] of Object.entries(TEXTS)) {
      await peer.publish(topic, body, { headers: { größe: '100% 🎉\u2028\u200d', kind } });
      const message = await messages.next();
      // stompjs drops a byte order mark at the front of `body`.
      assert.equal(Buffer.from(message.binaryBody).toString(), body, kind);
      assert.deepEqual([message.headers.größe, message.headers.kind], ['100% 🎉\u2028\u200d', kind]);
    }
    await peer.leave();
  });

  for (const [way, splitLargeFrames] of [
    ['one message', false],
    ['many messages', true],
  ]) {
    test(`${transport}: a large body sent in ${way} arrives whole`, async () => {
      const peer = await connect(server, transport, { splitLargeFrames });
      const topic = `/topic/large-${transport}-${splitLargeFrames}`;
      const messages = await peer.subscribe(topic);
      const body = randomBytes(LARGE / 2).toString('hex');
      await peer.publish(topic, body);
      await peer.publish(topic, 'after');
      assert.ok((await messages.next()).body === body);
      assert.deepEqual(await messages.bodies(1), ['after']);
      await peer.leave();
    });
  }

  test(`${transport}: ${MANY} messages of a publisher on WebSocket arrive in order`, async () => {
    const peer = await connect(server, transport);
    const topic = `/topic/many-${transport}`;
    const messages = await peer.subscribe(topic);
    const bodies = Array.from({ length: MANY }, (_, i) => `${i} ${'.'.repeat(i * 10)}`);
    const publisher = await Peer.connect(server);
    for (const body of bodies) publisher.client.publish({ destination: topic, body });
    await publisher.publish(topic, 'end');
    assert.deepEqual(await messages.bodies(MANY + 1), [...bodies, 'end']);
    assert.equal(messages.left, 0);
    await Promise.all([peer, publisher].map((each) => each.leave()));
  });

  test(`${transport}: ${MANY} messages sent without waiting are heard in order on WebSocket`, async () => {
    const listener = await Peer.connect(server);
    const topic = `/topic/sends-${transport}`;
    const messages = await listener.subscribe(topic);
    const peer = await connect(server, transport);
    const bodies = Array.from({ length: MANY }, (_, i) => `${i}`);
    for (const body of bodies) peer.client.publish({ destination: topic, body });
    await peer.publish(topic, 'end');
    assert.deepEqual(await messages.bodies(MANY + 1), [...bodies, 'end']);
    await Promise.all([peer, listener].map((each) => each.leave()));
  });

  test(`${transport}: what was not acknowledged comes again`, async () => {
    const queue = `/queue/individual-${transport}`;
    const first = await connect(server, transport);
    const messages = await first.subscribe(queue, { ack: 'client-individual' });
    for (const body of ['a', 'b', 'c']) await first.publish(queue, body);
    const [, b] = [await messages.next(), await messages.next(), await messages.next()];
    const receipt = first.receipt();
    b.ack({ receipt: receipt.id });
    await receipt;
    await first.leave();

    const second = await connect(server, transport);
    const again = await second.subscribe(queue, { ack: 'client-individual' });
    const [a, c] = [await again.next(), await again.next()];
    assert.deepEqual([a.body, c.body], ['a', 'c']);
    assert.deepEqual([a.headers.redelivered, c.headers.redelivered], ['true', 'true']);
    for (const message of [a, c]) {
      const done = second.receipt();
      message.ack({ receipt: done.id });
      await done;
    }
    await second.leave();
  });

  test(`${transport}: a client that vanishes without goodbye leaves its messages to others`, async () => {
    const queue = `/queue/vanished-${transport}`;
    const first = await connect(server, transport);
    const messages = await first.subscribe(queue, { ack: 'client-individual' });
    await first.publish(queue, 'unfinished');
    await messages.next();
    const second = await connect(server, transport);
    const again = await second.subscribe(queue);
    first.socket.close();
    const message = await again.next();
    assert.deepEqual([message.body, message.headers.redelivered], ['unfinished', 'true']);
    await second.leave();
  });

  test(`${transport}: a transaction is delivered as a whole at its commit`, async () => {
    const topic = `/topic/ledger-${transport}`;
    const peer = await connect(server, transport);
    const messages = await peer.subscribe(topic);
    const transaction = peer.client.begin();
    await peer.publish(topic, 'one', { headers: { transaction: transaction.id } });
    await peer.publish(topic, 'outside');
    await peer.publish(topic, 'two', { headers: { transaction: transaction.id } });
    assert.deepEqual(await messages.bodies(1), ['outside']);
    assert.equal(messages.left, 0);
    transaction.commit();
    assert.deepEqual(await messages.bodies(2), ['one', 'two']);
    await peer.leave();
  });

  test(`${transport}: an unknown destination is an ERROR with its code, then the close that says it too`, async () => {
    const peer = await connect(server, transport);
    const receipt = peer.receipt();
    receipt.catch(() => {});
    peer.client.publish({ destination: '/nowhere/at/all', body: 'x', headers: { receipt: receipt.id } });
    const error = await within(peer.error.promise, 'ERROR');
    assert.deepEqual([error.headers.code, error.headers['receipt-id']], ['unknown-destination', receipt.id]);
    const closed = await within(peer.closed.promise, 'close');
    assert.deepEqual([closed.code, closed.reason, closed.wasClean], [4520, 'unknown-destination', true]);
  });

  test(`${transport}: a body that is not text is an ERROR here, and arrives on a raw WebSocket`, async () => {
    const topic = `/topic/binary-${transport}`;
    const peer = await connect(server, transport);
    const raw = await Peer.connect(rawWebSocket());
    await peer.subscribe(topic);
    const heard = await raw.subscribe(topic);
    const publisher = await Peer.connect(server);
    const body = Uint8Array.from({ length: 256 }, (_, i) => 255 - i);
    await publisher.publish(topic, body);
    const error = await within(peer.error.promise, 'ERROR');
    assert.equal(error.headers.code, 'binary-over-sockjs');
    const closed = await within(peer.closed.promise, 'close');
    assert.deepEqual([closed.reason, closed.wasClean], ['binary-over-sockjs', true]);
    assert.deepEqual((await heard.next()).binaryBody, body);
    await Promise.all([raw, publisher].map((each) => each.leave()));
  });
}

test('people on every transport talk to each other, and hear the same in the same order', async () => {
  const people = await Promise.all([
    ...TRANSPORTS.map((transport) => connect(server, transport)),
    Peer.connect(server),
    Peer.connect(rawWebSocket()),
  ]);
  const heard = await Promise.all(people.map((peer) => peer.subscribe('/topic/chat')));
  const bodies = [];
  for (let round = 0; round < 5; round++) {
    for (const [i, peer] of people.entries()) {
      bodies.push(`${round}: ${i} says grüß Gott 🎉`);
      await peer.publish('/topic/chat', bodies.at(-1));
    }
  }
  for (const messages of heard) assert.deepEqual(await messages.bodies(bodies.length), bodies);
  assert.ok(heard.every((messages) => messages.left === 0));
  await Promise.all(people.map((peer) => peer.leave()));
});

test('each message of a queue goes to one consumer, whatever its transport', async () => {
  const people = await Promise.all(TRANSPORTS.map((transport) => connect(server, transport)));
  const mine = await Promise.all(
    people.map((peer) =>
      peer.subscribe('/queue/shared', { ack: 'client-individual', 'prefetch-count': '10' }),
    ),
  );
  const bodies = Array.from({ length: 10 * TRANSPORTS.length }, (_, i) => `${i}`);
  const publisher = await Peer.connect(server);
  for (const body of bodies) await publisher.publish('/queue/shared', body);
  const heard = await Promise.all(mine.map((messages) => messages.bodies(10)));
  assert.deepEqual(
    heard.flat().sort((a, b) => a - b),
    bodies,
  );
  await Promise.all([...people, publisher].map((peer) => peer.leave()));
});
