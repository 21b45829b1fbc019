import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Peer } from './peer.js';
import { Server } from './server.js';

const PEOPLE = 200;
const MESSAGES = 50;

test(`${PEOPLE} clients each hear ${MESSAGES} messages once and in order`, async (t) => {
  const server = await Server.start();
  t.after(() => server.stop());
  const people = await Promise.all(Array.from({ length: PEOPLE }, () => Peer.connect(server)));
  const heard = await Promise.all(people.map((peer) => peer.subscribe('/topic/crowd')));
  const bodies = Array.from({ length: MESSAGES }, (_, i) => `${i}`);
  const speaker = await Peer.connect(server);
  for (const body of bodies) speaker.client.publish({ destination: '/topic/crowd', body });
  await speaker.publish('/topic/crowd', 'end');
  const all = await Promise.all(heard.map((messages) => messages.bodies(MESSAGES + 1)));
  for (const one of all) assert.deepEqual(one, [...bodies, 'end']);
  assert.ok(heard.every((messages) => messages.left === 0));
  await Promise.all([...people, speaker].map((peer) => peer.leave()));
});
