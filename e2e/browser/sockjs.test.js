import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from '../stompjs/server.js';
import { Guest, openBrowser, Pages } from './guest.js';

/** Works from every page. */
const ANYWHERE = [
  'websocket',
  'xhr-streaming',
  'xhr-polling',
  'eventsource',
  'jsonp-polling',
  'iframe-eventsource',
  'iframe-htmlfile',
  'iframe-xhr-polling',
];
/** sockjs-client takes it for a page of the server's own origin only. Chromium does it with an iframe. */
const AT_HOME = 'htmlfile';
const LEGACY = ['jsonp-polling', AT_HOME, 'iframe-eventsource', 'iframe-htmlfile', 'iframe-xhr-polling'];

const BODIES = [
  'grüß Gott 🎉 日本 𝄞 \u0000\u0007\r\n\u2028\u200d\ufffd\uffff end',
  '% 100% %41 %25 %C3%A4 %E2',
  '</script><script>alert(1)</script><!-- "quoted" \\ \' &amp; a+b=c',
  '',
];
/** More than the limit of a stream, so that its response ends and another goes on. */
const LONG = Array.from({ length: 20_000 }, (_, i) => `${i} ü`).join(' ');

let browser;
let pages;
let server;
before(async () => {
  [browser, pages] = await Promise.all([openBrowser(), Pages.open()]);
  const origins = ['127.0.0.1', 'localhost'].map((host) => `"${pages.origin(host)}"`);
  server = await Server.start({
    config: `[websocket]\nallowed_origins = [${origins}]\n[sockjs]\nlegacy_transports = true\n`,
  });
});
after(() => Promise.all([browser?.close(), pages?.close(), server?.stop()]));

const base = (of = server) => `http://${of.address}/ws`;
/** The greeting is a page of the server's own origin. */
const HOMES = {
  'a page of its own origin': () => base(),
  'a page of another port': () => pages.origin('127.0.0.1'),
  'a page of another site': () => pages.origin('localhost'),
};

async function talks(transport, home) {
  const guest = await Guest.arrives(browser, home);
  assert.equal(await guest.connects(base(), transport), transport);
  const topic = `/topic/${transport}`;
  await guest.subscribes(topic);
  for (const body of [...BODIES, LONG]) {
    await guest.publishes(topic, body);
    assert.deepEqual(await guest.hears(1), [body]);
  }
  assert.deepEqual(await guest.disconnects(), [1000, 'Normal closure', true]);
  await guest.leaves();
}

for (const [name, home] of Object.entries(HOMES)) {
  for (const transport of ANYWHERE)
    test(`${transport}: ${name} connects, hears itself and leaves`, () => talks(transport, home()));
}

test(`${AT_HOME}: a page of its own origin connects, hears itself and leaves`, () => talks(AT_HOME, base()));

test(`${AT_HOME}: sockjs-client does not try it from a page of another origin`, async () => {
  const guest = await Guest.arrives(browser, pages.origin('127.0.0.1'));
  await assert.rejects(guest.connects(base(), AT_HOME), /closed: 2000 All transports failed/);
  await guest.leaves();
});

for (const transport of [...ANYWHERE, AT_HOME]) {
  const home = () => (transport === AT_HOME ? base() : pages.origin('localhost'));

  test(`${transport}: an ERROR and the code of the close arrive`, async () => {
    const guest = await Guest.arrives(browser, home());
    await guest.connects(base(), transport);
    await guest.page.evaluate(() => window.session.client.publish({ destination: '/nowhere', body: 'x' }));
    assert.equal(await guest.isRefused(), 'unknown-destination');
    assert.deepEqual(await guest.isClosed(), [4520, 'unknown-destination', true]);
    await guest.leaves();
  });

  test(`${transport}: what another publishes arrives in order`, async () => {
    const [guest, other] = await Promise.all([
      Guest.arrives(browser, home()),
      Guest.arrives(browser, pages.origin('127.0.0.1')),
    ]);
    await Promise.all([guest.connects(base(), transport), other.connects(base(), 'websocket')]);
    const topic = `/topic/other-${transport}`;
    await guest.subscribes(topic);
    const bodies = Array.from({ length: 100 }, (_, i) => `${i} 🎉`);
    await other.page.evaluate(
      ([destination, all]) => {
        for (const body of all) window.session.client.publish({ destination, body });
      },
      [topic, bodies],
    );
    assert.deepEqual(await guest.hears(bodies.length), bodies);
    await Promise.all([guest.disconnects(), other.disconnects()]);
    await Promise.all([guest.leaves(), other.leaves()]);
  });
}

for (const transport of [...ANYWHERE, AT_HOME].filter((name) => name !== 'websocket')) {
  test(`${transport}: someone else who knows the address of a session gets nothing`, async () => {
    const guest = await Guest.arrives(browser, base());
    await guest.connects(base(), transport);
    const topic = `/topic/bound-${transport}`;
    await guest.subscribes(topic);
    const [session] = guest.sessions;
    const forged = JSON.stringify([`SEND\ndestination:${topic}\n\nforged\0`]);
    for (const path of ['xhr', 'xhr_streaming', 'xhr_send']) {
      for (const cookie of ['', 'tidings-session=guessed']) {
        const headers = { 'content-type': 'text/plain', cookie };
        const answer = await fetch(`${session}/${path}`, { method: 'POST', headers, body: forged });
        assert.equal(answer.status, 404, path);
      }
    }
    await guest.publishes(topic, 'undisturbed');
    assert.deepEqual(await guest.hears(1), ['undisturbed']);
    await guest.disconnects();
    await guest.leaves();
  });
}

test('the copy of sockjs-client that the server hands out works', async () => {
  const guest = await Guest.arrives(browser, pages.origin('localhost'), {
    library: `${base()}/sockjs.min.js`,
  });
  assert.equal(await guest.page.evaluate(() => window.SockJS.version), '1.6.1');
  assert.equal(await guest.connects(base()), 'websocket');
  await guest.disconnects();
  await guest.leaves();
});

test('by default the legacy transports are refused, and the others work', async (t) => {
  const strict = await Server.start();
  t.after(() => strict.stop());
  await Promise.all(
    LEGACY.map(async (transport) => {
      const guest = await Guest.arrives(browser, base(strict));
      const connected = guest.connects(base(strict), transport);
      await assert.rejects(connected, /closed: 2000 All transports failed/, transport);
      const path = transport.startsWith('iframe') ? '/ws/iframe.html' : `/ws/*/*/${transport.split('-')[0]}`;
      assert.ok(guest.answers.includes(`404 ${path}`), `${transport}: ${guest.answers}`);
      await guest.leaves();
    }),
  );
  const guest = await Guest.arrives(browser, base(strict));
  for (const transport of ['websocket', 'xhr-streaming', 'eventsource', 'xhr-polling']) {
    assert.equal(await guest.connects(base(strict), transport), transport);
    await guest.disconnects();
  }
  await guest.leaves();
});

test('a page of an origin that is not allowed cannot connect', async (t) => {
  const strict = await Server.start({ config: '[sockjs]\nlegacy_transports = true\n' });
  t.after(() => strict.stop());
  for (const home of [pages.origin('127.0.0.1'), pages.origin('localhost')]) {
    const guest = await Guest.arrives(browser, home);
    await assert.rejects(guest.connects(base(strict)), /closed: 1002 Cannot connect to server/);
    await guest.leaves();
  }
});
