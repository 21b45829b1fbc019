import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Versions } from '@stomp/stompjs';
import { Peer } from './peer.js';
import { Server } from './server.js';

/** A little under the largest body that the server takes. */
const LARGE = 900 * 1024;

let server;
before(async () => {
  server = await Server.start();
});
after(() => server?.stop());

/** What `destination` delivers of what was published to it. */
async function echo({ destination, body, headers, options }) {
  const peer = await Peer.connect(server, options);
  const messages = await peer.subscribe(destination);
  await peer.publish(destination, body, { headers });
  const message = await messages.next();
  await peer.leave();
  return message;
}

test('headers with every special character arrive as they were', async () => {
  const headers = {
    'content-type': 'application/json;charset=utf-8',
    colon: 'a:b::c',
    lines: 'one\ntwo\r\nthree\r',
    // Not before n, r or c: stompjs 7.5 reads the escapes of such a value twice.
    slash: 'C:\\Users\\',
    empty: '',
    größe: 'grüße 🎉 日本',
  };
  const message = await echo({ destination: '/topic/headers', body: '{}', headers });
  for (const [name, value] of Object.entries(headers)) assert.equal(message.headers[name], value, name);
});

test('headers of the server cannot be forged by a sender', async () => {
  const headers = { subscription: 'forged', 'message-id': 'forged', ack: 'forged', redelivered: 'true' };
  const message = await echo({ destination: '/topic/forged', body: 'x', headers });
  assert.notEqual(message.headers['message-id'], 'forged');
  assert.equal(message.headers.ack, undefined);
  assert.equal(message.headers.redelivered, undefined);
});

test('a colon in a header reaches a client of 1.1 that does not escape', async () => {
  const options = { stompVersions: new Versions(['1.1']) };
  const message = await echo({ destination: '/topic/colon', body: 'x', headers: { at: '10:30' }, options });
  // stompjs neither escapes nor unescapes in 1.1; the server escapes as 1.1 says.
  assert.equal(message.headers.at, '10\\c30');
});

test('text of every length of UTF-8 arrives as it was', async () => {
  const body = 'a ß ‰ 🎉 \u0000 \r\n end';
  const message = await echo({ destination: '/topic/text', body });
  assert.equal(message.body, body);
});

test('an empty body arrives empty', async () => {
  const message = await echo({ destination: '/topic/empty', body: '' });
  assert.equal(message.body, '');
  assert.equal(message.headers['content-length'], '0');
});

test('a binary body of all bytes arrives as it was', async () => {
  const body = Uint8Array.from({ length: 1024 }, (_, i) => i % 256);
  const message = await echo({ destination: '/topic/binary', body });
  assert.deepEqual(message.binaryBody, body);
});

test('a body without content-length ends at its NUL', async () => {
  const peer = await Peer.connect(server);
  const messages = await peer.subscribe('/topic/skipped');
  await peer.publish('/topic/skipped', 'no length', { skipContentLengthHeader: true });
  assert.equal((await messages.next()).body, 'no length');
  await peer.leave();
});

const WAYS = {
  'in one message': {},
  'split into many messages': { splitLargeFrames: true },
  'in binary messages': { forceBinaryWSFrames: true },
};
for (const [way, options] of Object.entries(WAYS)) {
  test(`a large body sent ${way} arrives whole`, async () => {
    const body = randomBytes(LARGE / 2).toString('hex');
    const message = await echo({ destination: `/topic/large`, body, options });
    assert.equal(message.body.length, LARGE);
    assert.ok(message.body === body);
  });
}

test('a body over the limit is an ERROR that says so', async () => {
  const peer = await Peer.connect(server);
  const sent = peer.publish('/topic/large', 'x'.repeat(1024 * 1024 + 1));
  await assert.rejects(sent, /body-too-large/);
});
