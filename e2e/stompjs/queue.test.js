import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Versions } from '@stomp/stompjs';
import { Peer } from './peer.js';
import { Server } from './server.js';

let server;
before(async () => {
  server = await Server.start();
});
after(() => server?.stop());

async function fill(queue, bodies) {
  const sender = await Peer.connect(server);
  for (const body of bodies) await sender.publish(queue, body);
  await sender.leave();
}

test('messages wait in a queue until someone subscribes, and each goes to one consumer', async () => {
  const bodies = Array.from({ length: 20 }, (_, i) => `${i}`);
  await fill('/queue/waits', bodies);
  const [first, second] = await Promise.all([Peer.connect(server), Peer.connect(server)]);
  const mine = await first.subscribe('/queue/waits', { ack: 'client-individual', 'prefetch-count': '10' });
  const theirs = await second.subscribe('/queue/waits', { ack: 'client-individual', 'prefetch-count': '10' });
  assert.deepEqual(await mine.bodies(10), bodies.slice(0, 10));
  assert.deepEqual(await theirs.bodies(10), bodies.slice(10));
  await Promise.all([first.leave(), second.leave()]);
});

for (const version of ['1.1', '1.2']) {
  const options = { stompVersions: new Versions([version]) };

  test(`${version} client-individual: what was not acknowledged comes again, in order`, async () => {
    const queue = `/queue/individual-${version}`;
    await fill(queue, ['a', 'b', 'c']);
    const first = await Peer.connect(server, options);
    const messages = await first.subscribe(queue, { ack: 'client-individual' });
    const [, b] = [await messages.next(), await messages.next(), await messages.next()];
    const receipt = first.receipt();
    b.ack({ receipt: receipt.id });
    await receipt;
    await first.leave();

    const second = await Peer.connect(server, options);
    const again = await second.subscribe(queue);
    const [a, c] = [await again.next(), await again.next()];
    assert.deepEqual([a.body, c.body], ['a', 'c']);
    assert.deepEqual([a.headers.redelivered, c.headers.redelivered], ['true', 'true']);
    await second.leave();
  });

  test(`${version} client: an acknowledgement covers the earlier messages`, async () => {
    const queue = `/queue/cumulative-${version}`;
    await fill(queue, ['a', 'b', 'c']);
    const first = await Peer.connect(server, options);
    const messages = await first.subscribe(queue, { ack: 'client' });
    const [, b] = [await messages.next(), await messages.next(), await messages.next()];
    const receipt = first.receipt();
    b.ack({ receipt: receipt.id });
    await receipt;
    await first.leave();

    const second = await Peer.connect(server, options);
    const again = await second.subscribe(queue);
    assert.deepEqual(await again.bodies(1), ['c']);
    assert.equal(again.left, 0);
    await second.leave();
  });

  test(`${version} a refused message comes again at once, and at last goes to the dead letters`, async () => {
    const queue = `/queue/refused-${version}`;
    const peer = await Peer.connect(server, options);
    const dead = await peer.subscribe('/queue/dead-letter', { ack: 'client-individual' });
    const messages = await peer.subscribe(queue, { ack: 'client-individual' });
    await peer.publish(queue, 'nobody wants me');
    const counts = [];
    for (let i = 0; i < 5; i++) {
      const message = await messages.next();
      counts.push(message.headers['delivery-count']);
      message.nack();
    }
    assert.deepEqual(counts, [undefined, '2', '3', '4', '5']);
    const letter = await dead.next();
    assert.equal(letter.body, 'nobody wants me');
    assert.equal(letter.headers['original-destination'], queue);
    letter.ack();
    await peer.leave();
  });
}

test('an acknowledgement of nothing is an ERROR', async () => {
  const peer = await Peer.connect(server);
  const messages = await peer.subscribe('/queue/nothing', { ack: 'client' });
  const receipt = peer.receipt();
  peer.client.ack('no-such-message', messages.subscription.id, { receipt: receipt.id });
  await assert.rejects(receipt, /unknown-ack/);
});

test('a transaction is delivered as a whole at its commit', async () => {
  const peer = await Peer.connect(server);
  const messages = await peer.subscribe('/topic/ledger');
  const transaction = peer.client.begin();
  await peer.publish('/topic/ledger', 'one', { headers: { transaction: transaction.id } });
  await peer.publish('/topic/ledger', 'outside');
  await peer.publish('/topic/ledger', 'two', { headers: { transaction: transaction.id } });
  assert.deepEqual(await messages.bodies(1), ['outside']);
  assert.equal(messages.left, 0);
  transaction.commit();
  assert.deepEqual(await messages.bodies(2), ['one', 'two']);
  await peer.leave();
});

test('an aborted transaction leaves nothing, and its acknowledgements are undone', async () => {
  await fill('/queue/undone', ['a']);
  const peer = await Peer.connect(server);
  const topic = await peer.subscribe('/topic/undone');
  const messages = await peer.subscribe('/queue/undone', { ack: 'client-individual' });
  const message = await messages.next();
  const transaction = peer.client.begin();
  message.ack({ transaction: transaction.id });
  await peer.publish('/topic/undone', 'never', { headers: { transaction: transaction.id } });
  transaction.abort();
  await peer.publish('/topic/undone', 'after');
  assert.deepEqual(await topic.bodies(1), ['after']);
  const receipt = peer.receipt();
  message.ack({ receipt: receipt.id });
  await receipt;
  await peer.leave();
});
