import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoff, FIRST_WAIT, LONGEST_WAIT } from '../src/backoff.ts';
import { BoundedList } from '../src/bounded-list.ts';
import { decodeChat, encodeChat, MAX_TEXT_SHOWN } from '../src/chat-message.ts';
import { readTopic, shortName } from '../src/destination.ts';
import { agreedHeartBeat, heartBeatText } from '../src/heart-beat.ts';
import { Latency, milliseconds } from '../src/latency.ts';
import { closeReason, errorReason, readClose, sentence } from '../src/reason.ts';

test('waits double up to the longest and are spread over their upper half', () => {
  assert.deepEqual(
    [0, 1, 2, 10, 5_000].map((attempt) => backoff(attempt, 1)),
    [FIRST_WAIT, 2_000, 4_000, LONGEST_WAIT, LONGEST_WAIT],
  );
  assert.equal(backoff(2, 0), 2_000);
});

test('a bounded list keeps the newest items and tells what is new, as an unbounded one cut at the end would', () => {
  const list = new BoundedList<number>(3);
  const model: number[] = [];
  for (let item = 0; item < 20; item += 1) {
    list.push(item);
    model.push(item);
    assert.deepEqual(list.items, model.slice(-3));
    assert.equal(list.total, model.length);
    for (let seen = 0; seen <= model.length; seen += 1) {
      assert.deepEqual(list.since(seen), model.slice(seen).slice(-3));
    }
  }
  list.clear();
  assert.deepEqual([list.items, list.since(19), list.total], [[], [], 20]);
});

test('a chat message survives its journey', () => {
  const body = encodeChat({ from: 'Ada', text: 'Hi “there”\n<b>', sent: 7 });
  assert.equal(body, '{"from":"Ada","text":"Hi “there”\\n<b>","sent":7}');
  assert.deepEqual(decodeChat(body), { kind: 'chat', from: 'Ada', text: 'Hi “there”\n<b>' });
});

test('whatever is not a chat message is plain text', () => {
  for (const body of [
    'hello',
    '',
    '{"text":"x"}',
    '{"from":1,"text":"x"}',
    '{"from":" ","text":"x"}',
    'null',
    '[1]',
  ]) {
    assert.deepEqual(decodeChat(body), { kind: 'plain', text: body });
  }
});

test('a giant text is cut and says so', () => {
  const { text } = decodeChat('x'.repeat(MAX_TEXT_SHOWN + 5));
  assert.ok(text.endsWith('x… (5 more characters)'));
});

test('topics are read as people write them', () => {
  for (const [typed, destination] of [
    ['chat.rust', '/topic/chat.rust'],
    ['  /topic/news  ', '/topic/news'],
    ['größe', '/topic/größe'],
  ] as const) {
    assert.deepEqual(readTopic(typed), { ok: true, destination });
  }
  for (const typed of [
    '',
    '/topic/',
    '/queue/a',
    'a b',
    'chat.*',
    'chat.>',
    'a..b',
    'a/',
    `${'x'.repeat(200)}`,
  ]) {
    assert.equal(readTopic(typed).ok, false, typed);
  }
  assert.equal(shortName('/topic/chat.rust'), 'chat.rust');
});

test('heart-beats are agreed as STOMP 1.2 says', () => {
  const offered = { send: 10_000, receive: 5_000 };
  assert.deepEqual(agreedHeartBeat(offered, '20000,2000'), { send: 10_000, receive: 20_000 });
  assert.deepEqual(agreedHeartBeat(offered, '0,0'), { send: 0, receive: 0 });
  assert.deepEqual(agreedHeartBeat(offered, undefined), { send: 0, receive: 0 });
  assert.equal(heartBeatText({ send: 10_000, receive: 10_000 }), '10 s');
  assert.equal(heartBeatText({ send: 10_000, receive: 0 }), '10 s / off');
  assert.equal(heartBeatText({ send: 0, receive: 0 }), 'off');
});

test('latency shows the last and the median of what was measured', () => {
  const latency = new Latency();
  assert.deepEqual([latency.last, latency.p50], [undefined, undefined]);
  for (const sample of [9, 1, 5, 7]) latency.record(sample);
  assert.deepEqual([latency.last, latency.p50], [7, 5]);
  assert.deepEqual([undefined, 0.84, 9.96, 12.4, 1_340].map(milliseconds), [
    '–',
    '0.8 ms',
    '10 ms',
    '12 ms',
    '1.3 s',
  ]);
});

test('an ERROR is told in words, with its code and whether to come back', () => {
  const reason = errorReason(
    { code: 'forbidden', message: 'you may not do that', retry: 'false' },
    'ignored',
  );
  assert.deepEqual(reason, { code: 'forbidden', text: 'you may not do that', retry: false });
  assert.equal(sentence(reason), 'You may not do that (forbidden).');
  assert.deepEqual(errorReason({}, ' from the body \n'), { text: 'from the body' });
  assert.deepEqual(errorReason({}, ''), { text: 'the server sent an error without a word' });
});

test('a close is told in words', () => {
  assert.equal(sentence(closeReason(1006, '')), 'The connection was lost.');
  assert.equal(sentence(closeReason(1001, 'node stops')), 'Node stops.');
  assert.equal(sentence(closeReason(3999, '')), 'The connection closed with code 3999.');
});

test('a close code tells whether to come back', () => {
  for (const code of [1001, 1011, 1012, 4000, 4499])
    assert.equal(closeReason(code, '').retry, true, String(code));
  for (const code of [1002, 1008, 1009, 4500, 4999])
    assert.equal(closeReason(code, '').retry, false, String(code));
  for (const code of [1000, 1006, 3999]) assert.equal(closeReason(code, '').retry, undefined, String(code));
});

test('what sockjs-client makes up is not read as the server’s word', () => {
  const code = (code: number, wasClean: boolean) => readClose({ code, reason: 'jargon', wasClean });
  for (const given of [1000, 1002, 1012, 2010, 4004]) {
    assert.deepEqual(code(given, true), { code: given, reason: 'jargon' });
  }
  assert.deepEqual(code(1002, false), { code: 1006, reason: 'the server did not answer' });
  assert.deepEqual(code(2000, false), { code: 1006, reason: 'this transport did not get through' });
  assert.deepEqual(code(1006, false), { code: 1006, reason: '' });
  assert.deepEqual(code(1012, false), { code: 1012, reason: 'jargon' });
});
