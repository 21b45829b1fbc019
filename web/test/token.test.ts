import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { FrameReader } from '../src/frame.ts';
import { connectHeaders, issuedTokens, pastedToken } from '../src/sign-in.ts';
import { countdown, expiresIn, MARGIN, TokenClock } from '../src/token-clock.ts';

beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));
afterEach(() => mock.timers.reset());

function clock() {
  let now = 0;
  const told: (number | undefined)[] = [];
  const renewed: number[] = [];
  const made = new TokenClock({
    now: () => now,
    renew: () => renewed.push(now),
    left: (left) => told.push(left),
  });
  const pass = (milliseconds: number) => {
    for (let passed = 0; passed < milliseconds; passed += 250) {
      now += 250;
      mock.timers.tick(250);
    }
  };
  return { made, told, renewed, pass };
}

test('a renewal is asked for once, in time, and again after the next start', () => {
  const { made, renewed, pass, told } = clock();
  made.start(60_000);
  pass(60_000 - MARGIN - 250);
  assert.deepEqual(renewed, []);
  pass(MARGIN);
  assert.deepEqual(renewed, [60_000 - MARGIN]);
  made.start(4_000);
  pass(10_000);
  assert.equal(renewed.length, 2);
  assert.equal(renewed[1], 60_000 - 250 + 2_000);
  assert.equal(told.at(-1), 0);
});

test('nothing is counted for a session without an end, nor after a stop', () => {
  const { made, told, renewed, pass } = clock();
  made.start(undefined);
  made.start(1_000);
  made.stop();
  pass(5_000);
  assert.deepEqual([told.at(-1), renewed], [undefined, []]);
});

test('what is left is read from its header, and told as a clock', () => {
  assert.equal(expiresIn({ 'session-expires-in': '61000' }), 61_000);
  assert.equal(expiresIn({ 'session-expires-in': 'soon' }), undefined);
  assert.equal(expiresIn({}), undefined);
  assert.deepEqual([0, 1, 9_000, 61_000, 3_600_000, 86_399_999].map(countdown), [
    '0:00',
    '0:01',
    '0:09',
    '1:01',
    '1:00:00',
    '24:00:00',
  ]);
});

test('CONNECT has a login or a token, never both', async () => {
  assert.deepEqual(await connectHeaders({ name: 'Ada' }), { login: 'Ada' });
  const who = { name: 'Ada', tokens: pastedToken('a.b.c') };
  assert.deepEqual(await connectHeaders(who), { Authorization: 'Bearer a.b.c' });
});

test('the server is asked for each token anew, and what it refuses is said', async () => {
  const asked: unknown[] = [];
  let answer = new Response('{"token":"a.b.c"}');
  const ask = (url: string, { body }: RequestInit) => {
    asked.push([url, body]);
    return Promise.resolve(answer);
  };
  const tokens = issuedTokens('Ada', 60, ask as typeof fetch);
  assert.equal(await tokens.next(), 'a.b.c');
  assert.deepEqual(asked, [['development/token', '{"user":"Ada","lifetime":60}']]);
  answer = new Response('nothing', { status: 404 });
  await assert.rejects(tokens.next(), /issues no tokens; paste one/);
  answer = new Response('too long\n', { status: 400 });
  await assert.rejects(tokens.next(), /issued no token: too long$/);
});

test('the log of frames keeps no whole token', () => {
  const shown: string[] = [];
  const reader = new FrameReader(
    ({ headers }) => shown.push(...headers.map(([name, value]) => `${name}:${value}`)),
    () => {},
  );
  reader.read('CONNECT\nAuthorization:Bearer abcdefghijklmnop\nlogin:Ada\n\n\0');
  assert.deepEqual(shown, ['Authorization:Bearer abcdefgh…', 'login:Ada']);
});
