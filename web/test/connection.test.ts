import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { Connection, ERRORS, MAX_PENDING, STEADY } from '../src/connection.ts';
import { pastedToken, type SignIn, type Tokens } from '../src/sign-in.ts';
import type { Wire, WireEvents } from '../src/stomp-wire.ts';

/** A scripted wire: what the connection asked for, and the hand that answers. */
interface Dialled {
  login: string;
  tokens: Tokens | undefined;
  events: WireEvents;
  asked: string[];
}

function connection() {
  const wires: Dialled[] = [];
  const told: string[] = [];
  let now = 0;
  const open = ({ name, tokens }: SignIn, events: WireEvents): Wire => {
    const asked: string[] = [];
    wires.push({ login: name, tokens, events, asked });
    return {
      subscribe: (destination, id, receipt) => asked.push(`subscribe ${destination} ${id} ${receipt}`),
      unsubscribe: (id) => asked.push(`unsubscribe ${id}`),
      send: (destination, _body, receipt) => asked.push(`send ${destination} ${receipt}`),
      renew: (token, receipt) => asked.push(`renew ${token} ${receipt}`),
      close: () => asked.push('close'),
    };
  };
  const made = new Connection(
    { open, offered: { send: 10_000, receive: 10_000 }, now: () => now, random: () => 1 },
    {
      phase: (phase) => told.push('reason' in phase ? `${phase.kind}: ${phase.reason.text}` : phase.kind),
      proven: (left) => {
        if (left !== undefined) told.push(`proven for ${left}`);
      },
      joined: (destination) => told.push(`joined ${destination}`),
      refused: (destination, reason) => told.push(`refused ${destination}: ${reason.code}`),
      message: (destination, body) => told.push(`message ${destination} ${body}`),
      confirmed: (milliseconds) => told.push(`confirmed after ${milliseconds}`),
      unconfirmed: (destination, text, reason) =>
        told.push(`unconfirmed ${destination} ${text}: ${reason.text}`),
    },
  );
  const wire = () => wires.at(-1) as Dialled;
  const pass = (milliseconds: number) => {
    now += milliseconds;
    mock.timers.tick(milliseconds);
  };
  return { made, wires, wire, told, pass, take: () => told.splice(0) };
}

const CONNECTED = { version: '1.2', 'heart-beat': '10000,10000' };

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

test('connects, joins what was asked for before, and measures from SEND to RECEIPT', () => {
  const { made, wire, pass, take } = connection();
  made.join('/topic/a');
  made.connect({ name: 'Ada' });
  assert.equal(wire().login, 'Ada');
  wire().events.connected(CONNECTED, 'websocket');
  wire().events.receipt('join-2', {});
  assert.equal(made.say('/topic/a', 'hi'), true);
  wire().events.message('/topic/a', 'body', {});
  pass(12);
  wire().events.receipt('say-3', {});
  assert.deepEqual(wire().asked, ['subscribe /topic/a topic-1 join-2', 'send /topic/a say-3']);
  assert.deepEqual(take(), [
    'connecting',
    'connected',
    'joined /topic/a',
    'message /topic/a body',
    'confirmed after 12',
  ]);
});

test('comes back by itself with growing waits, and joins again', () => {
  const { made, wires, wire, pass, take } = connection();
  made.connect({ name: 'Ada' });
  wire().events.connected(CONNECTED, 'websocket');
  made.join('/topic/a');
  take();
  wire().events.closed(1006, '');
  pass(999);
  assert.equal(wires.length, 1);
  pass(1);
  wire().events.closed(1006, '');
  pass(2_000);
  wire().events.connected(CONNECTED, 'websocket');
  assert.equal(wires.length, 3);
  assert.deepEqual(wire().asked, ['subscribe /topic/a topic-1 join-3']);
  assert.deepEqual(take(), [
    'waiting: the connection was lost',
    'connecting',
    'waiting: the connection was lost',
    'connecting',
    'connected',
  ]);
});

test('the wait is short again after a connection that held, and not after one that did not', () => {
  const { made, wires, wire, pass } = connection();
  made.connect({ name: 'Ada' });
  wire().events.closed(1006, '');
  pass(1_000);
  wire().events.connected(CONNECTED, 'websocket');
  wire().events.closed(1006, '');
  pass(1_999);
  assert.equal(wires.length, 2);
  pass(1);
  wire().events.connected(CONNECTED, 'websocket');
  pass(STEADY);
  wire().events.closed(1006, '');
  pass(1_000);
  assert.equal(wires.length, 4);
});

test('retry ends the wait, and only once', () => {
  const { made, wires, wire, pass } = connection();
  made.connect({ name: 'Ada' });
  wire().events.closed(1006, '');
  made.retry();
  made.retry();
  pass(60_000);
  assert.equal(wires.length, 2);
});

test('a login that was refused is not tried again', () => {
  const { made, wires, wire, pass, take } = connection();
  made.connect({ name: 'nobody' });
  wire().events.error({ code: 'unauthenticated', message: 'who are you' }, '');
  wire().events.closed(1006, '');
  pass(60_000);
  assert.equal(wires.length, 1);
  assert.deepEqual(take(), ['connecting', 'closed: who are you']);
});

test('the server decides whether to come back where it says so', () => {
  const { made, wires, wire, pass } = connection();
  made.connect({ name: 'Ada' });
  wire().events.error({ code: 'busy', message: 'later', retry: 'true' }, '');
  wire().events.closed(1013, '');
  pass(1_000);
  assert.equal(wires.length, 2);
  wire().events.connected(CONNECTED, 'websocket');
  wire().events.error({ code: 'banned', message: 'never', retry: 'false' }, '');
  wire().events.closed(1008, '');
  pass(60_000);
  assert.equal(wires.length, 2);
  assert.equal(made.phase.kind, 'closed');
});

test('without the header, the close code decides, and a frame that is not repeated is forgiven', () => {
  const { made, wires, wire, pass } = connection();
  made.connect({ name: 'Ada' });
  wire().events.error({ code: 'too-many-connections', message: 'full' }, '');
  wire().events.closed(4004, '');
  pass(1_000);
  assert.equal(wires.length, 2);
  wire().events.connected(CONNECTED, 'websocket');
  made.say('/topic/a', 'rude');
  wire().events.error({ code: 'refused', message: 'no', 'receipt-id': 'say-1' }, '');
  wire().events.closed(1008, '');
  pass(2_000);
  assert.equal(wires.length, 3);
  wire().events.connected(CONNECTED, 'websocket');
  wire().events.error({ code: 'invalid-header', message: 'no colon' }, '');
  wire().events.closed(4506, '');
  assert.equal(made.phase.kind, 'closed');
});

test('a topic that was refused is not asked for again', () => {
  const { made, wire, pass, take } = connection();
  made.connect({ name: 'Ada' });
  wire().events.connected(CONNECTED, 'websocket');
  made.join('/topic/good');
  made.join('/topic/secret');
  take();
  wire().events.error({ code: 'forbidden', message: 'no', 'receipt-id': 'join-4' }, '');
  wire().events.closed(1002, '');
  pass(1_000);
  wire().events.connected(CONNECTED, 'websocket');
  assert.deepEqual(take(), ['refused /topic/secret: forbidden', 'waiting: no', 'connecting', 'connected']);
  assert.deepEqual(wire().asked, ['subscribe /topic/good topic-1 join-5']);
});

test('a message that was not confirmed is given back with the reason', () => {
  const { made, wire, take } = connection();
  made.connect({ name: 'Ada' });
  wire().events.connected(CONNECTED, 'websocket');
  made.say('/topic/a', 'refused');
  made.say('/topic/a', 'lost');
  take();
  wire().events.error({ message: 'too rude', 'receipt-id': 'say-1' }, '');
  wire().events.closed(1002, '');
  assert.deepEqual(take(), [
    'unconfirmed /topic/a refused: too rude',
    'unconfirmed /topic/a lost: too rude',
    'waiting: too rude',
  ]);
});

test('messages that wait for their receipt are bounded, and none leaves without a connection', () => {
  const { made, wire } = connection();
  assert.equal(made.say('/topic/a', 'x'), false);
  made.connect({ name: 'Ada' });
  wire().events.connected(CONNECTED, 'websocket');
  for (let sent = 0; sent < MAX_PENDING; sent += 1) assert.equal(made.say('/topic/a', 'x'), true);
  assert.equal(made.say('/topic/a', 'x'), false);
});

test('after a disconnect the old wire is deaf and nothing is dialled', () => {
  const { made, wires, wire, pass, take } = connection();
  made.connect({ name: 'Ada' });
  wire().events.connected(CONNECTED, 'websocket');
  made.disconnect();
  take();
  wire().events.message('/topic/a', 'late', {});
  wire().events.closed(1000, '');
  pass(60_000);
  assert.deepEqual(take(), []);
  assert.equal(wires.length, 1);
  assert.deepEqual(wire().asked, ['close']);
});

test('a change of the transport leaves for a new wire under the same name, and joins again', () => {
  const { made, wires, wire, take, pass } = connection();
  made.change('you changed the transport');
  assert.equal(wires.length, 0);
  made.join('/topic/a');
  made.connect({ name: 'Ada' });
  wire().events.connected(CONNECTED, 'websocket');
  made.say('/topic/a', 'on its way');
  const left = wire();
  take();
  made.change('you changed the transport');
  assert.deepEqual(left.asked.slice(-1), ['close']);
  left.events.closed(1000, '');
  assert.equal(wire().login, 'Ada');
  wire().events.connected(CONNECTED, 'xhr-polling');
  assert.deepEqual(take(), [
    'unconfirmed /topic/a on its way: you changed the transport',
    'connecting',
    'connected',
  ]);
  assert.equal(made.phase.kind === 'connected' && made.phase.transport, 'xhr-polling');
  assert.deepEqual(wire().asked, ['subscribe /topic/a topic-1 join-4']);
  wire().events.closed(1006, '');
  made.change('you changed the transport');
  pass(60_000);
  assert.equal(wires.length, 3);
});

test('a topic that was left is unsubscribed and not joined again', () => {
  const { made, wire, pass } = connection();
  made.connect({ name: 'Ada' });
  wire().events.connected(CONNECTED, 'websocket');
  made.join('/topic/a');
  made.leave('/topic/a');
  assert.deepEqual(wire().asked, ['subscribe /topic/a topic-1 join-2', 'unsubscribe topic-1']);
  wire().events.closed(1006, '');
  pass(1_000);
  wire().events.connected(CONNECTED, 'websocket');
  assert.deepEqual(wire().asked, []);
});

test('what an application refuses is blamed on its frame, and the connection goes on', () => {
  const { made, wires, wire, take } = connection();
  made.join(ERRORS);
  made.connect({ name: 'Ada' });
  wire().events.connected(CONNECTED, 'websocket');
  made.join('/app/none');
  made.send('/app/trade/TIDE', '{}', 'buy');
  take();
  const refuse = (receipt: string) =>
    wire().events.message(ERRORS, '', { code: 'refused', message: 'no', 'request-receipt': receipt });
  refuse('join-4');
  refuse('say-5');
  wire().events.message(ERRORS, 'said by a handler', { code: 'no-funds' });
  // Anybody may write such a header to a topic.
  wire().events.message('/topic/a', 'x', { 'request-receipt': 'join-2' });
  wire().events.receipt('join-2', {});
  assert.deepEqual(take(), [
    'refused /app/none: refused',
    'unconfirmed /app/trade/TIDE buy: no',
    `message ${ERRORS} said by a handler`,
    'message /topic/a x',
    `joined ${ERRORS}`,
  ]);
  assert.equal(wires.length, 1);
});

test('a session with a token is renewed in place, and tells how long it has', () => {
  const { made, wire, take } = connection();
  made.connect({ name: '', tokens: pastedToken('one') });
  wire().events.connected({ ...CONNECTED, 'user-name': 'ann', 'session-expires-in': '5000' }, 'websocket');
  made.renew('two');
  wire().events.receipt('renew-1', { 'session-expires-in': '60000' });
  assert.deepEqual(wire().asked, ['renew two renew-1']);
  assert.deepEqual(take(), ['connecting', 'connected', 'proven for 5000', 'proven for 60000']);
  const phase = made.phase;
  assert.equal(phase.kind === 'connected' && phase.user, 'ann');
});

test('who has a next token comes back when one has expired, who has none does not', () => {
  for (const renews of [true, false]) {
    const { made, wire, take } = connection();
    made.connect({ name: '', tokens: { ...pastedToken('one'), renews } });
    wire().events.connected(CONNECTED, 'websocket');
    take();
    wire().events.error({ code: 'token-expired', message: 'it is over', retry: 'true' }, '');
    wire().events.closed(4010, '');
    assert.deepEqual(take(), [`${renews ? 'waiting' : 'closed'}: it is over`]);
  }
});
