import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Peer, within } from './peer.js';
import { Server } from './server.js';
import { token, withTokens } from './token.js';

const RULES = [
  'allow connect if authenticated',
  'allow any /topic/open/**',
  'allow subscribe /topic/team/{team} if claim teams contains {team}',
];

let server;
before(async () => {
  server = await Server.start({ config: withTokens(RULES) });
});
after(() => server?.stop());

/** Ada, of the red team; her errors in the order in which they came. */
async function ada(headers = {}) {
  const errors = [];
  const wanted = [];
  const authorization = `Bearer ${token('ada', { claims: { teams: ['red'] } })}`;
  const peer = await Peer.connect(server, {
    connectHeaders: { Authorization: authorization, ...headers },
    onStompError: (frame) => (wanted.length > 0 ? wanted.shift()(frame) : errors.push(frame)),
  });
  peer.nextError = () =>
    within(errors.length > 0 ? Promise.resolve(errors.shift()) : new Promise((came) => wanted.push(came)), 'ERROR');
  return peer;
}

const REFUSED = {
  SUBSCRIBE: (client, receipt) => client.subscribe('/topic/team/blue', () => {}, { id: 'blue', receipt }),
  'SUBSCRIBE by wildcard': (client, receipt) => client.subscribe('/topic/team/*', () => {}, { id: 'all', receipt }),
  SEND: (client, receipt) => client.publish({ destination: '/topic/team/red', body: 'x', headers: { receipt } }),
};

for (const [frame, act] of Object.entries(REFUSED)) {
  test(`a refused ${frame} is an ERROR and ends the session`, async () => {
    const peer = await ada();
    assert.equal(peer.greeting.headers['error-mode'], undefined);
    act(peer.client, 'r-1');
    const { headers } = await peer.nextError();
    assert.deepEqual([headers.code, headers['receipt-id']], ['forbidden', 'r-1']);
    const closed = await within(peer.closed.promise, 'close');
    assert.deepEqual([closed.code, closed.reason], [4542, 'forbidden']);
  });

  test(`with error-mode:continue a refused ${frame} is an ERROR and the session goes on`, async () => {
    const peer = await ada({ 'error-mode': 'continue' });
    assert.equal(peer.greeting.headers['error-mode'], 'continue');
    const team = await peer.subscribe('/topic/team/red');
    for (const receipt of ['r-1', 'r-2']) {
      act(peer.client, receipt);
      const { headers } = await peer.nextError();
      assert.deepEqual([headers.code, headers['receipt-id']], ['forbidden', receipt]);
    }
    const open = await peer.subscribe('/topic/open/news');
    await peer.publish('/topic/open/news', 'still here');
    assert.deepEqual(await open.bodies(1), ['still here']);
    assert.equal(team.left, 0);
    assert.equal((await peer.leave()).wasClean, true);
  });
}
