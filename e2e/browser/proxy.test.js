import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from '../stompjs/server.js';
import { Guest, openBrowser, Pages } from './guest.js';
import { BLOCKS, HttpProxy } from './proxy.js';

let browser;
let pages;
let server;
before(async () => {
  [browser, pages] = await Promise.all([openBrowser(), Pages.open()]);
  const config = `[websocket]\nallowed_origins = ["${pages.origin('localhost')}"]\n`;
  server = await Server.start({ config });
});
after(() => Promise.all([browser?.close(), pages?.close(), server?.stop()]));

async function behind(t, options) {
  const proxy = await HttpProxy.open(server.address, options);
  t.after(() => proxy.close());
  return proxy;
}

/**
 * Someone connects to `url` with all transports allowed and the client's own timeouts, and talks with someone whose
 * WebSocket gets through. Answers with the transport that was left.
 */
async function chats(guest, url, topic) {
  const direct = `http://${server.address}/ws`;
  const other = await Guest.arrives(browser, direct);
  const [transport] = await Promise.all([
    guest.connects(url, undefined, { timeout: 0 }),
    other.connects(direct, 'websocket'),
  ]);
  await Promise.all([guest.subscribes(topic), other.subscribes(topic)]);
  const bodies = [];
  for (let round = 0; round < 5; round++) {
    for (const each of [guest, other]) {
      bodies.push(`${bodies.length}: grüß Gott 🎉`);
      await each.publishes(topic, bodies.at(-1));
    }
  }
  assert.deepEqual(await guest.hears(bodies.length), bodies);
  assert.deepEqual(await other.hears(bodies.length), bodies);
  assert.deepEqual(await guest.disconnects(), [1000, 'Normal closure', true]);
  await other.disconnects();
  await Promise.all([guest.leaves(), other.leaves()]);
  return transport;
}

for (const [name, block] of Object.entries(BLOCKS)) {
  test(`a proxy that blocks WebSocket (${name}): the page goes on with xhr-streaming`, async (t) => {
    const proxy = await behind(t, { block });
    const url = `http://${proxy.address}/ws`;
    const guest = await Guest.arrives(browser, url);
    assert.equal(await chats(guest, url, `/topic/${name}`), 'xhr-streaming');
    assert.ok(proxy.passed.some((path) => path.endsWith('/xhr_streaming')));
  });
}

test('a proxy that also holds back responses until they are whole: the page goes on with xhr-polling', async (t) => {
  const proxy = await behind(t, { block: BLOCKS.refuse, buffering: true });
  const url = `http://${proxy.address}/ws`;
  const guest = await Guest.arrives(browser, url);
  assert.equal(await chats(guest, url, '/topic/buffered'), 'xhr-polling');
  assert.ok(proxy.passed.some((path) => path.endsWith('/xhr_streaming')));
});

test('the same for a page of another site', async (t) => {
  const proxy = await behind(t, { block: BLOCKS.refuse, buffering: true });
  const guest = await Guest.arrives(browser, pages.origin('localhost'));
  assert.equal(await chats(guest, `http://${proxy.address}/ws`, '/topic/elsewhere'), 'xhr-polling');
});

test('a proxy that the browser sends everything through, and that refuses tunnels: the page goes on', async (t) => {
  const proxy = await behind(t, { block: BLOCKS.refuse });
  const url = `http://${server.address}/ws`;
  const guest = await Guest.arrives(browser, url, {
    // Chromium leaves loopback out unless told otherwise.
    proxy: { server: `http://${proxy.address}`, bypass: '<-loopback>' },
  });
  assert.equal(await chats(guest, url, '/topic/tunnel'), 'xhr-streaming');
  assert.ok(proxy.passed.some((path) => path.endsWith('/xhr_streaming')));
});
