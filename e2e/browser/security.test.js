import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { Server } from '../stompjs/server.js';
import { token, withTokens } from '../stompjs/token.js';
import { Guest, openBrowser, Pages } from './guest.js';

/** How long each token of the page that renews lives, in seconds. */
const LIFETIME = 2;
const RENEWALS = 3;
const RULES = ['allow connect if authenticated', 'allow any /topic/**'];
const COOKIES = '[security]\ncookie = "session"\n';
const CSRF = `${COOKIES}csrf_cookie = "XSRF-TOKEN"\n`;
const TRANSPORTS = ['websocket', 'xhr-streaming', 'eventsource', 'xhr-polling'];

let browser;
let pages;
before(async () => {
  [browser, pages] = await Promise.all([openBrowser(), Pages.open()]);
});
after(() => Promise.all([browser?.close(), pages?.close()]));

const base = (server) => `http://${server.address}/ws`;
/** Of the same site, so that cookies go along, and of another origin. */
const evil = () => pages.origin('127.0.0.1');

/** A server that takes tokens, ended with the test. */
async function started(t, { security = '', origins } = {}) {
  const keys = security.replace('[security]\n', '');
  const websocket = origins ? `[websocket]\nallowed_origins = ["${origins}"]\n` : '';
  const config = withTokens(RULES, websocket).replace('[security]\n', `[security]\n${keys}`);
  const server = await Server.start({ config });
  t.after(() => server.stop());
  return server;
}

/** Someone whose browser has these cookies of the server's host. */
async function arrives(server, home, cookies) {
  const url = `http://${server.address}/`;
  const httpOnly = (name) => name === 'session';
  const storageState = {
    origins: [],
    cookies: Object.entries(cookies).map(([name, value]) => ({
      name,
      value,
      domain: new URL(url).hostname,
      path: '/',
      expires: -1,
      httpOnly: httpOnly(name),
      secure: false,
      sameSite: 'Lax',
    })),
  };
  return Guest.arrives(browser, home, { storageState });
}

/** How a bare WebSocket of the page ends: `open`, or the code of its close. */
const webSocket = (guest, server) =>
  guest.page.evaluate(
    (url) =>
      new Promise((ended) => {
        const socket = new WebSocket(url, ['v12.stomp']);
        socket.onopen = () => ended('open');
        socket.onclose = ({ code }) => ended(code);
      }),
    base(server).replace('http', 'ws'),
  );

test('a page outlives its tokens without a gap, ends when they cease, and comes back with a new one', async (t) => {
  const server = await started(t);
  const guest = await Guest.arrives(browser, base(server));
  let issues = true;
  let issued = 0;
  await guest.page.exposeFunction('issue', () => {
    if (!issues) return undefined;
    issued += 1;
    if (issued > RENEWALS) issues = false;
    return token('ada', { lifetime: LIFETIME });
  });
  await guest.page.exposeFunction('issueAgain', () => {
    issues = true;
  });
  const code = await readFile(new URL('../stompjs/renewing.js', import.meta.url), 'utf8');
  const content = code.replace(/^import .*$/m, 'const { Client } = StompJs;').replace(/^export /m, '');
  await guest.page.addScriptTag({ content });
  const told = await guest.page.evaluate(run, base(server).replace('http', 'ws'));
  assert.deepEqual(told.closes, [[4010, 'token-expired']]);
  assert.deepEqual([told.connected, told.errors], [2, ['token-expired']]);
  assert.ok(told.lived >= LIFETIME * 1000 * (0.75 * RENEWALS + 0.9), `${told.lived} ms`);
  assert.ok(told.heard.length > 50, `${told.heard.length} numbers`);
  assert.deepEqual(
    told.heard,
    Array.from(told.heard, (_, place) => place),
  );
  await guest.leaves();
});

/** Runs in the page: counts aloud, and hears itself until it is connected for the second time. */
function run(brokerURL) {
  const told = { connected: 0, errors: [], closes: [], heard: [] };
  let number = 0;
  let timer;
  const began = performance.now();
  return new Promise((resolve) => {
    const client = window.renewing(
      {
        brokerURL,
        reconnectDelay: 50,
        onConnect: () => {
          told.connected += 1;
          if (told.connected > 1) {
            client.deactivate();
            resolve(told);
            return;
          }
          client.subscribe('/topic/count', ({ body }) => told.heard.push(Number(body)));
          timer = setInterval(() => client.publish({ destination: '/topic/count', body: `${number++}` }), 20);
        },
        onStompError: ({ headers }) => {
          clearInterval(timer);
          told.errors.push(headers.code);
          window.issueAgain();
        },
        onWebSocketClose: ({ code, reason }) => {
          if (told.connected > 1) return;
          told.lived = performance.now() - began;
          told.closes.push([code, reason]);
        },
      },
      async () => {
        const token = await window.issue();
        if (!token) throw new Error('the back end is away');
        return token;
      },
    );
    client.activate();
  });
}

for (const transport of TRANSPORTS) {
  test(`${transport}: a cookie says who the page is, and the token needs no place in it`, async (t) => {
    const server = await started(t, { security: COOKIES });
    const guest = await arrives(server, base(server), { session: token('ada') });
    assert.equal(await guest.page.evaluate(() => document.cookie), '', 'the page cannot read it');
    assert.equal(await guest.connects(base(server), transport), transport);
    assert.equal(await guest.isCalled(), 'ada');
    await guest.subscribes('/topic/cookie');
    await guest.publishes('/topic/cookie', 'crumbs');
    assert.deepEqual(await guest.hears(1), ['crumbs']);
    await guest.disconnects();
    await guest.leaves();
  });

  test(`${transport}: with a CSRF cookie CONNECT has to repeat it`, async (t) => {
    const server = await started(t, { security: CSRF });
    const cookies = { session: token('ada'), 'XSRF-TOKEN': 'a-random-word' };
    const guest = await arrives(server, base(server), cookies);
    for (const headers of [{}, { 'X-XSRF-TOKEN': 'guessed' }, { 'X-CSRF-TOKEN': '' }]) {
      const connected = guest.connects(base(server), transport, { headers });
      await assert.rejects(connected, /closed: 4541 bad-credentials/, JSON.stringify(headers));
    }
    for (const name of ['X-XSRF-TOKEN', 'X-CSRF-TOKEN']) {
      const repeated = await guest.page.evaluate(() => document.cookie.match(/XSRF-TOKEN=([^;]*)/)[1]);
      await guest.connects(base(server), transport, { headers: { [name]: repeated } });
      assert.equal(await guest.isCalled(), 'ada');
      await guest.disconnects();
    }
    await guest.leaves();
  });

  test(`${transport}: the session of a cookie ends with its token`, async (t) => {
    const server = await started(t, { security: COOKIES });
    const guest = await arrives(server, base(server), { session: token('ada', { lifetime: LIFETIME }) });
    await guest.connects(base(server), transport);
    assert.equal(await guest.isRefused(), 'token-expired');
    assert.deepEqual(await guest.isClosed(), [4010, 'token-expired', true]);
    await guest.leaves();
  });
}

test('without its cookie the CSRF token cannot be repeated', async (t) => {
  const server = await started(t, { security: CSRF });
  const guest = await arrives(server, base(server), { session: token('ada') });
  const connected = guest.connects(base(server), 'websocket', { headers: { 'X-XSRF-TOKEN': '' } });
  await assert.rejects(connected, /closed: 4541 bad-credentials/);
  await guest.leaves();
});

test('who brings a token to CONNECT needs no CSRF token', async (t) => {
  const server = await started(t, { security: CSRF });
  const guest = await arrives(server, base(server), { session: token('ada') });
  const headers = { Authorization: `Bearer ${token('bob')}` };
  await guest.connects(base(server), 'websocket', { headers });
  assert.equal(await guest.isCalled(), 'bob');
  await guest.disconnects();
  await guest.leaves();
});

test('a page of another origin gets nowhere with the cookies of whoever looks at it', async (t) => {
  const server = await started(t, { security: COOKIES });
  const guest = await arrives(server, evil(), { session: token('ada') });
  assert.equal(await webSocket(guest, server), 1006);
  for (const transport of TRANSPORTS)
    await assert.rejects(guest.connects(base(server), transport), /closed: 1002 Cannot connect to server/);
  await guest.leaves();
  // The same page where the server lets it: the cookie did go along.
  const open = await started(t, { security: COOKIES, origins: evil() });
  const friend = await arrives(open, evil(), { session: token('ada') });
  assert.equal(await webSocket(friend, open), 'open');
  await friend.connects(base(open), 'websocket');
  assert.equal(await friend.isCalled(), 'ada');
  await friend.disconnects();
  await friend.leaves();
});

for (const [what, session] of [
  ['has expired', () => token('ada', { lifetime: -60 })],
  ['is forged', () => token('ada', { secret: 'another-secret-of-enough-bytes-for-it' })],
]) {
  test(`a cookie that ${what} opens nothing`, async (t) => {
    const server = await started(t, { security: COOKIES });
    const guest = await arrives(server, base(server), { session: session() });
    assert.equal(await webSocket(guest, server), 1006);
    for (const transport of TRANSPORTS) await assert.rejects(guest.connects(base(server), transport), /closed: /);
    assert.ok(guest.answers.some((answer) => answer.startsWith('401 ')), `${guest.answers}`);
    await guest.leaves();
  });
}
