import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orElse } from '../src/fallback.ts';
import type { OpenWire, WireEvents } from '../src/stomp-wire.ts';
import {
  CHOICES,
  readChoice,
  sockJsTransports,
  transportOf,
  transportText,
  withChoice,
} from '../src/transport.ts';

test('the page’s url carries the choice, and nothing else of it changes', () => {
  const page = new URL('http://host:1/?a=b#c');
  for (const { choice } of CHOICES) {
    const chosen = withChoice(page, choice);
    assert.equal(readChoice(chosen), choice);
    assert.equal(withChoice(chosen, 'automatic').href, page.href);
  }
  assert.equal(withChoice(page, 'xhr-polling').href, 'http://host:1/?a=b&transport=xhr-polling#c');
  for (const asked of ['', '?transport=', '?transport=jsonp-polling']) {
    assert.equal(readChoice(new URL(asked, page)), 'automatic');
  }
});

test('a forced transport is the only one that SockJS may try, and it is told as what it is', () => {
  assert.deepEqual(
    CHOICES.filter(({ sockJs }) => sockJs).map(({ choice }) =>
      sockJsTransports(choice as 'xhr-polling').map((name) => [name, transportText(transportOf(name))]),
    ),
    [
      [['websocket', 'WebSocket (SockJS)']],
      [['xhr-streaming', 'XHR streaming (SockJS)']],
      [['eventsource', 'EventSource (SockJS)']],
      [['xhr-polling', 'XHR polling (SockJS)']],
    ],
  );
  assert.equal(sockJsTransports('automatic').length, 4);
  assert.equal(transportText(transportOf(undefined)), 'WebSocket');
});

/** Two scripted ways to the server, the second taken where the first fails. */
function ways() {
  const told: string[] = [];
  const dialled: { way: string; login: string; events: WireEvents }[] = [];
  const way =
    (name: string): OpenWire =>
    (who, events) => {
      dialled.push({ way: name, login: who.name, events });
      return {
        subscribe: (destination) => told.push(`${name} subscribe ${destination}`),
        unsubscribe: (id) => told.push(`${name} unsubscribe ${id}`),
        send: (_destination, body) => told.push(`${name} send ${body}`),
        renew: (token) => told.push(`${name} renew ${token}`),
        close: () => told.push(`${name} close`),
      };
    };
  const wire = orElse(way('first'), way('second'))(
    { name: 'Ada' },
    {
      connected: (_headers, transport) => told.push(`connected ${transport}`),
      receipt: (id) => told.push(`receipt ${id}`),
      message: (_destination, body) => told.push(`message ${body}`),
      error: (_headers, body) => told.push(`error ${body}`),
      closed: (code, reason) => told.push(`closed ${code} ${reason}`),
    },
  );
  const events = () => dialled.at(-1)?.events as WireEvents;
  return { wire, told, dialled, events };
}

test('where the first way is lost without a word, the second is taken, and all goes its way', () => {
  const { wire, told, dialled, events } = ways();
  events().closed(1006, 'blocked');
  assert.deepEqual(
    dialled.map(({ way, login }) => [way, login]),
    [
      ['first', 'Ada'],
      ['second', 'Ada'],
    ],
  );
  events().connected({}, 'xhr-streaming');
  wire.subscribe('/topic/a', 'topic-1', 'join-1');
  wire.send('/topic/a', 'hi', 'say-1');
  events().closed(1006, 'lost');
  assert.deepEqual(told, [
    'connected xhr-streaming',
    'second subscribe /topic/a',
    'second send hi',
    'closed 1006 lost',
  ]);
  assert.equal(dialled.length, 2);
});

test('what the server answered on the first way is not asked again on the second', () => {
  for (const [answer, expected] of [
    [(events: WireEvents) => events.connected({}, 'websocket'), 'connected websocket'],
    [(events: WireEvents) => events.error({}, 'no'), 'error no'],
  ] as const) {
    const { told, dialled, events } = ways();
    answer(events());
    events().closed(1006, '');
    assert.deepEqual(told, [expected, 'closed 1006 ']);
    assert.equal(dialled.length, 1);
  }
  const { told, dialled, events } = ways();
  events().closed(1012, 'restarts');
  assert.deepEqual([told, dialled.length], [['closed 1012 restarts'], 1]);
});

test('after a goodbye the second way is not taken', () => {
  const { wire, told, dialled, events } = ways();
  wire.close();
  events().closed(1006, '');
  assert.deepEqual([told, dialled.length], [['first close', 'closed 1006 '], 1]);
});
