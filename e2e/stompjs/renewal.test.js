import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { deferred, Peer, within } from './peer.js';
import { renewing } from './renewing.js';
import { Server } from './server.js';
import { SECRET, token, withTokens } from './token.js';

/** How long each token lives, in seconds. */
const LIFETIME = 2;
const RENEWALS = 4;

let server;
before(async () => {
  server = await Server.start({ config: withTokens(['allow connect if authenticated', 'allow any /topic/**']) });
});
after(() => server?.stop());

const bearer = (user, options) => ({ Authorization: `Bearer ${token(user, options)}` });

/** Says one number after another, for ever. */
async function clock(topic) {
  const peer = await Peer.connect(server, { connectHeaders: bearer('clock') });
  let number = 0;
  const timer = setInterval(() => peer.client.publish({ destination: topic, body: `${number++}` }), 20);
  return {
    stop: () => {
      clearInterval(timer);
      return peer.leave();
    },
  };
}

test('the guide shows the code that is tested here', async () => {
  const [page, code] = await Promise.all(
    ['../../docs/security.md', 'renewing.js'].map((path) => readFile(new URL(path, import.meta.url), 'utf8')),
  );
  assert.ok(page.includes(`\`\`\`js\n${code}\`\`\`\n`), 'docs/security.md differs from renewing.js');
});

test('a session outlives its tokens without a gap, ends when they cease, and comes back with a new one', async (t) => {
  const ticking = await clock('/topic/clock');
  t.after(() => ticking.stop());
  const [renewed, back] = [deferred(), deferred()];
  const heard = [];
  const told = { connected: [], errors: [], closes: [], sockets: 0, tokens: 0 };
  let issues = true;
  const began = Date.now();
  const client = renewing(
    {
      webSocketFactory: () => {
        told.sockets += 1;
        return new WebSocket(server.url, ['v12.stomp']);
      },
      reconnectDelay: 50,
      onConnect: ({ headers }) => {
        told.connected.push(Number(headers['session-expires-in']));
        if (told.connected.length === 2) back.resolve();
        client.subscribe('/topic/clock', ({ body }) => heard.push(Number(body)));
      },
      onStompError: ({ headers }) => {
        told.errors.push(headers.code);
        told.heard = heard.length;
        issues = true;
      },
      onWebSocketClose: ({ code, reason }) => told.closes.push([code, reason, Date.now() - began]),
    },
    async () => {
      if (!issues) throw new Error('the back end is away');
      told.tokens += 1;
      if (told.tokens > RENEWALS) {
        renewed.resolve({ ...told, connected: [...told.connected] });
        issues = false;
      }
      return token('ada', { lifetime: LIFETIME });
    },
  );
  t.after(() => client.deactivate());
  client.activate();

  const before = await within(renewed.promise, 'renewal');
  assert.deepEqual([before.connected.length, before.sockets, before.errors], [1, 1, []]);
  const [left] = before.connected;
  assert.ok(left > 0 && left <= LIFETIME * 1000, `${left} ms`);
  assert.ok(Date.now() - began > LIFETIME * 1000, 'the first token has expired long since');

  await within(back.promise, 'second CONNECTED');
  assert.deepEqual([told.sockets, told.errors], [2, ['token-expired']]);
  const [[code, reason, lived]] = told.closes;
  assert.deepEqual([code, reason], [4010, 'token-expired']);
  // Each renewal came when three quarters were gone, and then one token ran out.
  assert.ok(lived >= LIFETIME * 1000 * (0.75 * RENEWALS + 0.9), `${lived} ms`);
  const once = heard.slice(0, told.heard);
  assert.ok(once.length > 100, `${once.length} numbers`);
  assert.deepEqual(
    once,
    Array.from(once, (_, place) => once[0] + place),
  );
});

test("a renewal's receipt tells how long the session has now", async () => {
  const peer = await Peer.connect(server, { connectHeaders: bearer('ada', { lifetime: 60 }) });
  const receipt = peer.receipt();
  const headers = { ...bearer('ada', { lifetime: 600 }), receipt: receipt.id };
  peer.client.publish({ destination: '/session/token', headers });
  const left = Number((await receipt).headers['session-expires-in']);
  assert.ok(left > 500_000 && left <= 600_000, `${left} ms`);
  await peer.leave();
});

for (const [what, headers, code] of [
  ['of somebody else', () => bearer('bob'), 'token-mismatch'],
  ['that has expired', () => bearer('ada', { lifetime: -1 }), 'token-expired'],
  ['of a forger', () => bearer('ada', { secret: `${SECRET}!` }), 'bad-credentials'],
  ['that is none', () => ({}), 'missing-header'],
]) {
  for (const mode of ['end', 'continue']) {
    test(`a renewal with a token ${what} is refused, and the session goes on only with continue: ${mode}`, async () => {
      const errors = [];
      const came = deferred();
      const peer = await Peer.connect(server, {
        connectHeaders: { ...bearer('ada'), ...(mode === 'continue' && { 'error-mode': mode }) },
        onStompError: (frame) => came.resolve(errors.push(frame.headers.code)),
      });
      peer.client.publish({ destination: '/session/token', headers: { ...headers(), receipt: 'r' } });
      await within(came.promise, 'ERROR');
      assert.deepEqual(errors, [code]);
      if (mode === 'end') {
        assert.equal((await within(peer.closed.promise, 'close')).reason, code);
        return;
      }
      const messages = await peer.subscribe('/topic/still');
      await peer.publish('/topic/still', 'here');
      assert.deepEqual(await messages.bodies(1), ['here']);
      await peer.leave();
    });
  }
}

for (const [what, connectHeaders, code] of [
  ['none', {}, 'unauthenticated'],
  ['a login without proof', { login: 'ada' }, 'unauthenticated'],
  ['an expired one', bearer('ada', { lifetime: -60 }), 'token-expired'],
  ['a forged one', bearer('ada', { secret: `${SECRET}!` }), 'bad-credentials'],
  ['one for another server', bearer('ada', { claims: { aud: 'elsewhere' } }), 'bad-credentials'],
]) {
  test(`who connects with ${what} reads ${code}`, async () => {
    await assert.rejects(Peer.connect(server, { connectHeaders }), new RegExp(`^Error: ${code}: `));
  });
}

test('the token may come as the passcode, and in the handshake', async () => {
  for (const options of [
    { connectHeaders: { login: 'whoever', passcode: token('ada') } },
    { socket: { headers: bearer('ada') } },
  ]) {
    const peer = await Peer.connect(server, options);
    assert.equal(peer.greeting.headers['user-name'], 'ada');
    await peer.leave();
  }
});
