import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Versions } from '@stomp/stompjs';
import { Peer, within } from './peer.js';
import { Server } from './server.js';

let server;
before(async () => {
  server = await Server.start();
});
after(() => server?.stop());

for (const version of ['1.0', '1.1', '1.2']) {
  test(`a client of ${version} connects, hears itself and leaves`, async () => {
    const peer = await Peer.connect(server, { stompVersions: new Versions([version]) });
    assert.equal(peer.greeting.headers.version, version);
    const messages = await peer.subscribe('/topic/versions');
    await peer.publish('/topic/versions', version);
    const message = await messages.next();
    assert.equal(message.body, version);
    assert.equal(message.headers.destination, '/topic/versions');
    messages.subscription.unsubscribe();
    assert.equal((await peer.leave()).wasClean, true);
  });
}

test('the highest version that both know is taken', async () => {
  const peer = await Peer.connect(server);
  assert.equal(peer.greeting.headers.version, '1.2');
  assert.equal(peer.socket.protocol, 'v12.stomp');
  await peer.leave();
});

test('development mode takes the login as the name of the user', async () => {
  const peer = await Peer.connect(server, { connectHeaders: { login: 'ada', passcode: 'anything' } });
  assert.equal(peer.greeting.headers['user-name'], 'ada');
  assert.match(peer.greeting.headers.server, /^tidings\/\d/);
  await peer.leave();
});

test('versions that the server does not speak are an ERROR that lists those it speaks', async () => {
  const peer = Peer.connect(server, { stompVersions: new Versions(['3.0']) });
  await assert.rejects(peer, /unsupported-version/);
});

test('an unknown destination is an ERROR with its code, then a close that says not to retry', async () => {
  const peer = await Peer.connect(server);
  const receipt = peer.receipt();
  receipt.catch(() => {});
  peer.client.publish({ destination: '/nowhere/at/all', body: 'x', headers: { receipt: receipt.id } });
  const error = await within(peer.error.promise, 'ERROR');
  assert.equal(error.headers.code, 'unknown-destination');
  assert.equal(error.headers['receipt-id'], receipt.id);
  assert.equal(error.headers['content-type'], 'text/plain');
  assert.notEqual(error.body, '');
  const closed = await within(peer.closed.promise, 'close');
  assert.deepEqual([closed.code, closed.reason], [4520, 'unknown-destination']);
});

test('a path without an endpoint refuses the WebSocket', async () => {
  const elsewhere = { url: server.url.replace(/ws$/, 'elsewhere') };
  await assert.rejects(Peer.connect(elsewhere), /closed: 1006/);
});
