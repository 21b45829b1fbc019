import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Line, MAX_LINES, MAX_TOPICS, type Topic, Topics } from '../src/topics.ts';

const LINE: Line = { at: 0, own: false, content: { kind: 'plain', text: 'x' } };

function joined(topics: Topics, destination: string): Topic {
  const topic = topics.add(destination);
  assert.ok(topic);
  return topic;
}

test('the first topic opens, and a topic is there once', () => {
  const topics = new Topics();
  const a = joined(topics, 'a');
  joined(topics, 'b');
  assert.equal(topics.add('a'), a);
  assert.equal(topics.open, a);
  assert.deepEqual(
    topics.all.map(({ destination }) => destination),
    ['a', 'b'],
  );
});

test('what nobody looks at is unread until its topic is shown', () => {
  const topics = new Topics();
  const a = joined(topics, 'a');
  const b = joined(topics, 'b');
  topics.addLine(a, LINE, true);
  topics.addLine(a, LINE, false);
  topics.addLine(b, LINE, true);
  topics.addLine(b, { ...LINE, own: true }, true);
  topics.addLine(b, { ...LINE, content: { kind: 'notice', text: 'n' } }, true);
  assert.deepEqual([a.unread, b.unread, topics.unread], [1, 1, 2]);
  topics.show(b);
  assert.deepEqual([a.unread, b.unread, topics.unread], [1, 0, 1]);
});

test('when the open topic is left its neighbour opens', () => {
  const topics = new Topics();
  const [a, b, c] = ['a', 'b', 'c'].map((destination) => joined(topics, destination));
  topics.show(b);
  topics.remove('b');
  assert.equal(topics.open, c);
  topics.remove('c');
  assert.equal(topics.open, a);
  topics.remove('a');
  topics.remove('never joined');
  assert.equal(topics.open, undefined);
});

test('topics and lines are bounded', () => {
  const topics = new Topics();
  for (let number = 0; number < MAX_TOPICS + 3; number += 1) topics.add(String(number));
  assert.equal(topics.all.length, MAX_TOPICS);
  assert.equal(topics.add('one more'), undefined);
  const first = joined(topics, '0');
  for (let line = 0; line < 3 * MAX_LINES; line += 1) topics.addLine(first, LINE, true);
  assert.equal(first.lines.items.length, MAX_LINES);
});
