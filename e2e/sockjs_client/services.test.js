import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { within } from '../stompjs/peer.js';
import { Services } from './services.js';
import { FIRST_PLANE, TEXTS } from './text.js';
import { connection, Speaker, TRANSPORTS } from './transports.js';

/** The response of `/echo` ends after so many bytes. */
const STREAM_LIMIT = 4096;
const MANY = 500;

let services;
before(async () => {
  services = await Services.start();
});
after(() => services?.stop());

/** A line that says where it is from, so that a piece that is lost or moved is seen. */
function long(length) {
  let text = '';
  for (let at = 0; text.length < length; at = text.length) text += `${at} is here. `;
  return text.slice(0, length);
}

for (const transport of TRANSPORTS) {
  const open = (service) => Speaker.open(services.url(service), transport);

  test(`${transport}: every kind of text comes back as it was`, async () => {
    const speaker = await open('echo');
    assert.equal(speaker.socket.transport, transport);
    for (const [kind, text] of Object.entries(TEXTS)) {
      speaker.send(text);
      assert.deepEqual(await speaker.hears(1), [text], kind);
    }
    speaker.send(...Object.values(TEXTS));
    assert.deepEqual(await speaker.hears(Object.keys(TEXTS).length), Object.values(TEXTS));
    await speaker.leave();
  });

  test(`${transport}: every character of the first plane comes back`, async () => {
    const speaker = await open('echo');
    speaker.send(FIRST_PLANE);
    const [heard] = await speaker.hears(1);
    assert.ok(heard === FIRST_PLANE);
    await speaker.leave();
  });

  test(`${transport}: messages far over the limit of a stream come back whole and in order`, async () => {
    const speaker = await open('echo');
    const messages = [300_000, 1, STREAM_LIMIT - 1, STREAM_LIMIT, STREAM_LIMIT + 1, 300_000, 0, 50].map(long);
    speaker.send(...messages);
    const heard = await speaker.hears(messages.length);
    assert.deepEqual(
      heard.map((text) => text.length),
      messages.map((text) => text.length),
    );
    assert.ok(heard.every((text, i) => text === messages[i]));
    await speaker.leave();
  });

  test(`${transport}: ${MANY} small messages go there and back in order`, async () => {
    const speaker = await open('echo');
    const messages = Array.from({ length: MANY }, (_, i) => `message ${i}`);
    speaker.send(...messages);
    assert.deepEqual(await speaker.hears(MANY), messages);
    assert.equal(speaker.left, 0);
    await speaker.leave();
  });

  test(`${transport}: one message at a time, each after the answer to the last`, async () => {
    const speaker = await open('echo');
    for (let i = 0; i < 20; i++) {
      speaker.send(`${i}`);
      assert.deepEqual(await speaker.hears(1), [`${i}`]);
    }
    await speaker.leave();
  });

  test(`${transport}: many connections at once each hear themselves alone`, async () => {
    const speakers = await Promise.all(Array.from({ length: 30 }, () => open('echo')));
    for (const [i, speaker] of speakers.entries()) speaker.send(`${i} says`, `${i} repeats`);
    const heard = await Promise.all(speakers.map((speaker) => speaker.hears(2)));
    assert.deepEqual(
      heard,
      speakers.map((_, i) => [`${i} says`, `${i} repeats`]),
    );
    assert.ok(speakers.every((speaker) => speaker.left === 0));
    await Promise.all(speakers.map((speaker) => speaker.leave()));
  });

  test(`${transport}: the code and the reason of a close arrive`, async () => {
    const socket = connection(services.url('close'), transport);
    const closed = await within(new Promise((resolve) => socket.addEventListener('close', resolve)), 'close');
    assert.deepEqual([closed.code, closed.reason, closed.wasClean], [3000, 'Go away!', true]);
  });

  test(`${transport}: the service that wants a cookie works`, async () => {
    const speaker = await open('cookie_needed_echo');
    speaker.send('a', 'b');
    assert.deepEqual(await speaker.hears(2), ['a', 'b']);
    await speaker.leave();
  });

  test(`${transport}: a query in the address changes nothing`, async () => {
    const speaker = await open('echo?user=ada&c=d');
    speaker.send('here');
    assert.deepEqual(await speaker.hears(1), ['here']);
    await speaker.leave();
  });
}

test('all transports allowed: the first that works is WebSocket', async () => {
  const speaker = await Speaker.open(services.url('echo'));
  assert.equal(speaker.socket.transport, 'websocket');
  await speaker.leave();
});

test('where WebSocket is off the client takes the next transport', async () => {
  const speaker = await Speaker.open(services.url('disabled_websocket_echo'));
  assert.equal(speaker.socket.transport, 'xhr-streaming');
  speaker.send('still here');
  assert.deepEqual(await speaker.hears(1), ['still here']);
  await speaker.leave();
});

test('where WebSocket is off a client that wants nothing else gives up', async () => {
  const opened = Speaker.open(services.url('disabled_websocket_echo'), 'websocket');
  await assert.rejects(opened, /closed: 2000 All transports failed/);
});

test('where nothing is, the client cannot connect', async () => {
  await assert.rejects(Speaker.open(services.url('nothing')), /closed: 1002 Cannot connect to server/);
});
