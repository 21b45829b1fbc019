import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Frame, FrameReader, frameText, gist, MAX_BODY_SHOWN } from '../src/frame.ts';
import { FrameLog, MAX_ENTRIES } from '../src/frame-log.ts';

const SEND: Frame = {
  command: 'SEND',
  headers: [
    ['destination', '/topic/a\\cb'],
    ['content-length', '4'],
  ],
  body: 'ä\0b',
};
const WIRE = 'SEND\ndestination:/topic/a\\cb\ncontent-length:4\n\nä\0b\0';

function read(...chunks: (string | ArrayBuffer)[]) {
  const seen: (Frame | 'beat')[] = [];
  const reader = new FrameReader(
    (frame) => seen.push(frame),
    () => seen.push('beat'),
  );
  for (const chunk of chunks) reader.read(chunk);
  return seen;
}

test('frames are cut apart wherever the chunks were', () => {
  const bytes = new TextEncoder().encode(WIRE);
  for (let at = 0; at <= bytes.length; at += 1) {
    assert.deepEqual(read(bytes.slice(0, at).buffer, bytes.slice(at).buffer), [SEND], `cut at ${at}`);
  }
  assert.deepEqual(read(WIRE + WIRE), [SEND, SEND]);
});

test('an LF alone is a heart-beat, the LF that ends a frame is not', () => {
  assert.deepEqual(read('\n', `${WIRE}\n`, '\n'), ['beat', SEND, 'beat']);
});

test('a giant body is cut', () => {
  const [frame] = read(`SEND\n\n${'x'.repeat(MAX_BODY_SHOWN + 1)}\0`);
  assert.ok(frame !== undefined && frame !== 'beat' && frame.body.endsWith('… (1 more characters)'));
});

test('a frame is told as it travelled, and its gist in one word', () => {
  assert.equal(frameText(SEND), 'SEND\ndestination:/topic/a\\cb\ncontent-length:4\n\nä\0b');
  assert.equal(gist(SEND), '/topic/a\\cb');
  assert.equal(gist({ command: 'ERROR', headers: [['message', 'no']], body: '' }), 'no');
  assert.equal(gist({ command: 'RECEIPT', headers: [['receipt-id', 'r1']], body: '' }), 'r1');
});

test('heart-beats that follow each other share a line; the log is bounded and can be copied', () => {
  const log = new FrameLog();
  let changes = 0;
  log.onChange(() => {
    changes += 1;
  });
  log.heartBeat('in', 0);
  log.heartBeat('out', 1_000);
  log.heartBeat('in', 2_000);
  log.frame('out', { command: 'SEND', headers: [['destination', '/topic/a']], body: 'hi' }, 3_000);
  log.heartBeat('in', 4_000);
  assert.deepEqual(
    log.entries.map(({ kind }) => kind),
    ['heart-beat', 'frame', 'heart-beat'],
  );
  assert.equal(changes, 5);
  assert.equal(
    log.text(),
    '--- 1970-01-01T00:00:02.000Z heart-beats: 1 sent, 2 received\n\n' +
      '>>> 1970-01-01T00:00:03.000Z\nSEND\ndestination:/topic/a\n\nhi\n\n' +
      '--- 1970-01-01T00:00:04.000Z heart-beats: 1 received',
  );
  for (let note = 0; note < 3 * MAX_ENTRIES; note += 1) log.note(String(note), note);
  assert.equal(log.entries.length, MAX_ENTRIES);
});

test('after the log was cleared, heart-beats begin a new line', () => {
  const log = new FrameLog();
  log.heartBeat('in', 0);
  log.clear();
  log.heartBeat('in', 1);
  assert.deepEqual(log.entries, [{ kind: 'heart-beat', at: 1, sent: 0, received: 1 }]);
});

test('prices that follow each other share a line', () => {
  const log = new FrameLog();
  const message = (destination: string, body: string): Frame => ({
    command: 'MESSAGE',
    headers: [['destination', destination]],
    body,
  });
  log.frame('in', message('/topic/price/TIDE', '1'), 0);
  log.frame('in', message('/topic/price/KITE', '2'), 1);
  log.frame('in', message('/topic/a', '3'), 2);
  log.frame('in', message('/topic/price/TIDE', '4'), 3);
  log.frame('out', SEND, 4);
  assert.deepEqual(
    log.entries.map((entry) => entry.kind === 'frame' && [entry.frame.body, entry.times]),
    [
      ['2', 2],
      ['3', 1],
      ['4', 1],
      [SEND.body, 1],
    ],
  );
  assert.match(log.text(), /^<<< 1970-01-01T00:00:00.001Z ×2\nMESSAGE\n/);
});
