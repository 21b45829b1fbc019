import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deferred, Peer, within } from './peer.js';
import { Server } from './server.js';

/** The program, ended with the test. */
async function started(t, options) {
  const server = await Server.start(options);
  t.after(() => server.stop());
  return server;
}

test('two people talk to each other, and each hears both in the same order', async (t) => {
  const server = await started(t);
  const [ada, bob] = await Promise.all(
    ['ada', 'bob'].map((login) => Peer.connect(server, { connectHeaders: { login } })),
  );
  const heard = await Promise.all([ada, bob].map((peer) => peer.subscribe('/topic/chat')));
  await ada.publish('/topic/chat', 'hello bob');
  await bob.publish('/topic/chat', 'hello ada');
  for (const messages of heard) assert.deepEqual(await messages.bodies(2), ['hello bob', 'hello ada']);
  await Promise.all([ada.leave(), bob.leave()]);
});

test('a pattern hears what matches it, and nothing else', async (t) => {
  const server = await started(t);
  const peer = await Peer.connect(server);
  const [segment, deep] = [await peer.subscribe('/topic/price.*/eur'), await peer.subscribe('/topic/**')];
  for (const destination of ['/topic/price.a/eur', '/topic/price.a/usd', '/topic/price.b/eur', '/topic/end'])
    await peer.publish(destination, destination);
  assert.deepEqual(await segment.bodies(2), ['/topic/price.a/eur', '/topic/price.b/eur']);
  const last = (await deep.bodies(4)).at(-1);
  assert.equal(last, '/topic/end');
  assert.deepEqual([segment.left, deep.left], [0, 0]);
  await peer.leave();
});

test('an answer finds the one who asked', async (t) => {
  const server = await started(t);
  const answer = deferred();
  const asker = await Peer.connect(server, { onUnhandledMessage: answer.resolve });
  const worker = await Peer.connect(server);
  const work = await worker.subscribe('/queue/work');
  await asker.publish('/queue/work', '6 * 7', { headers: { 'reply-to': '/temp-queue/answers' } });
  const question = await work.next();
  await worker.publish(question.headers['reply-to'], '42');
  const message = await within(answer.promise, 'answer');
  assert.equal(message.body, '42');
  assert.equal(message.headers.subscription, '/temp-queue/answers');
  await Promise.all([asker.leave(), worker.leave()]);
});

test('heart-beats go both ways and keep a silent session alive', async (t) => {
  const config = '[stomp]\nheart_beat_send = "200ms"\nheart_beat_receive = "200ms"\n';
  const server = await started(t, { config });
  const beats = deferred();
  let count = 0;
  const peer = await Peer.connect(server, {
    heartbeatIncoming: 200,
    heartbeatOutgoing: 200,
    onHeartbeatReceived: () => {
      count += 1;
      if (count === 10) beats.resolve();
    },
    onHeartbeatLost: () => beats.reject(new Error('stompjs missed a heart-beat of the server')),
  });
  assert.equal(peer.greeting.headers['heart-beat'], '200,200');
  await within(beats.promise, 'tenth heart-beat');
  const messages = await peer.subscribe('/topic/alive');
  await peer.publish('/topic/alive', 'still here');
  assert.deepEqual(await messages.bodies(1), ['still here']);
  await peer.leave();
});

test('a client that stops its heart-beats is cut off with the reason', async (t) => {
  const config = '[stomp]\nheart_beat_send = "200ms"\nheart_beat_receive = "200ms"\n';
  const server = await started(t, { config });
  const peer = await Peer.connect(server, { heartbeatOutgoing: 200 });
  // A network that swallows what the client says.
  peer.socket.send = () => {};
  const error = await within(peer.error.promise, 'ERROR');
  assert.equal(error.headers.code, 'heart-beat-missed');
  assert.equal((await within(peer.closed.promise, 'close')).code, 4001);
});

test('a shutdown is told with close code 1001, and the program ends with 0', async (t) => {
  const server = await started(t);
  const peer = await Peer.connect(server);
  server.signal('SIGTERM');
  const closed = await within(peer.closed.promise, 'close');
  assert.deepEqual([closed.code, closed.reason, closed.wasClean], [1001, 'shutdown', true]);
  assert.equal(await server.exited, 0);
});

test('a client finds the server again after a restart, and its subscription works', async (t) => {
  let server = await Server.start();
  t.after(() => server.stop());
  const { address } = server;
  const back = deferred();
  const heard = deferred();
  let greetings = 0;
  const peer = await Peer.connect(server, {
    reconnectDelay: 50,
    onConnect(client) {
      const receipt = `joined-${++greetings}`;
      client.watchForReceipt(receipt, () => greetings === 2 && back.resolve());
      client.subscribe('/topic/again', heard.resolve, { receipt });
    },
  });
  t.after(() => peer.client.deactivate({ force: true }));
  await server.stop('SIGKILL');
  server = await Server.start({ listen: address });
  await within(back.promise, 'second subscription');
  const other = await Peer.connect(server);
  await other.publish('/topic/again', 'welcome back');
  assert.equal((await within(heard.promise, 'MESSAGE')).body, 'welcome back');
  await other.leave();
});

test('compression is agreed, and large and small messages pass through it', async (t) => {
  const server = await started(t, { config: '[websocket]\ncompression = true\n' });
  const socket = { perMessageDeflate: { threshold: 0 } };
  const peer = await Peer.connect(server, { socket });
  assert.match(peer.socket.extensions, /permessage-deflate/);
  const messages = await peer.subscribe('/topic/deflate');
  const bodies = ['tiny', 'again and again '.repeat(50_000), 'tiny'];
  for (const body of bodies) await peer.publish('/topic/deflate', body);
  assert.ok((await messages.bodies(3)).every((body, i) => body === bodies[i]));
  await peer.leave();
});

test('without the setting compression is not agreed', async (t) => {
  const server = await started(t);
  const peer = await Peer.connect(server, { socket: { perMessageDeflate: true } });
  assert.equal(peer.socket.extensions, '');
  await peer.leave();
});
