import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deferred, Peer, within } from '../stompjs/peer.js';
import { Server } from '../stompjs/server.js';
import { connect, TRANSPORTS } from './transports.js';

/** Short enough for a test, long enough for two requests of a polling client on a busy machine; milliseconds. */
const BEAT = 400;
const BEATING = `[stomp]\nheart_beat_send = "${BEAT}ms"\nheart_beat_receive = "${BEAT}ms"\n`;
/** SockJS's own heartbeat, more often than that of STOMP. */
const SOCKJS_BEATING = '[sockjs]\nheartbeat_time = "200ms"\n';

/** The program, ended with the test. */
async function started(t, options) {
  const server = await Server.start(options);
  t.after(() => server.stop());
  return server;
}

/** A promise of the `number`th heartbeat of SockJS. */
function heartbeats(socket, number) {
  const reached = deferred();
  let count = 0;
  socket.addEventListener('heartbeat', () => ++count === number && reached.resolve());
  return Object.assign(reached, { count: () => count });
}

for (const transport of TRANSPORTS) {
  test(`${transport}: heart-beats go both ways, and SockJS's own are silent meanwhile`, async (t) => {
    const server = await started(t, { config: BEATING + SOCKJS_BEATING });
    const beats = deferred();
    let count = 0;
    const peer = await connect(server, transport, {
      heartbeatIncoming: BEAT,
      heartbeatOutgoing: BEAT,
      onHeartbeatReceived: () => ++count === 6 && beats.resolve(),
      onHeartbeatLost: () => beats.reject(new Error('stompjs missed a heart-beat of the server')),
    });
    assert.equal(peer.greeting.headers['heart-beat'], `${BEAT},${BEAT}`);
    const theirs = heartbeats(peer.socket, 1);
    await within(beats.promise, 'sixth heart-beat');
    assert.equal(theirs.count(), 0);
    const messages = await peer.subscribe('/topic/alive');
    await peer.publish('/topic/alive', 'still here');
    assert.deepEqual(await messages.bodies(1), ['still here']);
    await peer.leave();
  });

  test(`${transport}: without heart-beats of STOMP those of SockJS come, and do no harm`, async (t) => {
    const server = await started(t, { config: SOCKJS_BEATING });
    const peer = await connect(server, transport);
    const messages = await peer.subscribe('/topic/alive');
    await within(heartbeats(peer.socket, 4).promise, 'fourth heartbeat of SockJS');
    await peer.publish('/topic/alive', 'still here');
    assert.deepEqual(await messages.bodies(1), ['still here']);
    await peer.leave();
  });

  test(`${transport}: a client that stops its heart-beats is cut off with the reason`, async (t) => {
    const server = await started(t, { config: BEATING });
    const peer = await connect(server, transport, { heartbeatOutgoing: BEAT });
    // A network that swallows what the client says.
    peer.socket.send = () => {};
    const error = await within(peer.error.promise, 'ERROR');
    assert.equal(error.headers.code, 'heart-beat-missed');
    const closed = await within(peer.closed.promise, 'close');
    assert.deepEqual([closed.code, closed.reason, closed.wasClean], [4001, 'heart-beat-missed', true]);
  });

  test(`${transport}: a session outlives the disconnect delay as long as its client is there`, async (t) => {
    const config = `[sockjs]\ndisconnect_delay = "500ms"\nheartbeat_time = "200ms"\n`;
    const server = await started(t, { config });
    const peer = await connect(server, transport);
    const messages = await peer.subscribe('/topic/alive');
    await within(heartbeats(peer.socket, 6).promise, 'sixth heartbeat of SockJS');
    await peer.publish('/topic/alive', 'still here');
    assert.deepEqual(await messages.bodies(1), ['still here']);
    await peer.leave();
  });

  test(`${transport}: a client finds the server again after a restart, and its subscription works`, async (t) => {
    let server = await Server.start({ config: BEATING });
    t.after(() => server.stop());
    const { address } = server;
    const back = deferred();
    const heard = deferred();
    let greetings = 0;
    const peer = await connect(server, transport, {
      reconnectDelay: 300,
      // Under Node, sockjs-client does not see that a response was cut off; the heart-beat does.
      heartbeatIncoming: BEAT,
      heartbeatOutgoing: BEAT,
      onConnect(client) {
        const receipt = `joined-${++greetings}`;
        client.watchForReceipt(receipt, () => greetings === 2 && back.resolve());
        client.subscribe('/topic/again', heard.resolve, { receipt });
      },
    });
    t.after(() => peer.client.deactivate({ force: true }));
    await server.stop('SIGKILL');
    server = await Server.start({ listen: address, config: BEATING });
    await within(back.promise, 'second subscription');
    const other = await Peer.connect(server);
    await other.publish('/topic/again', 'welcome back');
    assert.equal((await within(heard.promise, 'MESSAGE')).body, 'welcome back');
    assert.equal(peer.sockets.at(-1).transport, transport);
    await other.leave();
  });
}

test('a shutdown is told on every transport with close code 1001, and the program ends with 0', async (t) => {
  // Nobody can tell a client that is between two polls; one of a few tries finds it in a poll.
  for (let tries = 5; tries > 0; tries -= 1) {
    const server = await started(t);
    const people = await Promise.all(TRANSPORTS.map((transport) => connect(server, transport)));
    server.signal('SIGTERM');
    const all = await Promise.all(people.map((peer) => within(peer.closed.promise, 'close')));
    assert.equal(await server.exited, 0);
    const isTold = ({ code, reason, wasClean }) => code === 1001 && reason === 'shutdown' && wasClean;
    const untold = TRANSPORTS.filter((_, i) => !isTold(all[i]));
    if (untold.length === 0) return;
    assert.ok(untold.every((transport) => transport === 'xhr-polling'), `not told: ${untold}`);
  }
  assert.fail('no poll was ever told');
});
