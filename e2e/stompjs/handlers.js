// What foreign clients see of the example `handlers_showcase` in crates/tidings; its head says what each route does.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { within } from './peer.js';
import { SHOWCASE, Server } from './server.js';

const MANY = 1000;

const leave = (...peers) => Promise.all(peers.map((peer) => peer.leave()));

/** What is echoed to the session comes after everything that was on its way: nothing else came. */
async function nothingElse(peer, ...subscriptions) {
  const echo = await peer.subscribe('/user/queue/echo');
  await peer.publish('/app/echo', 'the end');
  assert.deepEqual(await echo.bodies(1), ['the end']);
  for (const messages of subscriptions) assert.equal(messages.left, 0);
}

/** Publishes what fails; answers with what /user/queue/errors is told of it. */
async function fails(peer, errors, destination, body, { headers = {}, ...rest } = {}) {
  const receipt = `of-${destination}`;
  peer.client.publish({ destination, body, ...rest, headers: { ...headers, receipt } });
  const { headers: told, body: whatToDo } = await errors.next();
  assert.deepEqual([told['request-destination'], told['request-receipt']], [destination, receipt]);
  return { code: told.code, text: `${told.message}: ${whatToDo}` };
}

/**
 * Tests of every route.
 *
 * @param transport its name
 * @param open connects a peer to a server, with options of stompjs
 * @param binary whether it carries octets
 */
export function testHandlers(transport, open, { binary }) {
  let server;
  before(async () => {
    server = await Server.start({ program: SHOWCASE });
  });
  after(() => server?.stop());
  const connect = (login) => open(server, login === undefined ? {} : { connectHeaders: { login } });

  test(`${transport}: a1: variables of the destination, JSON, a destination with placeholders`, async () => {
    const peer = await connect();
    const trades = await peer.subscribe('/topic/a1/lse/*');
    await peer.publish('/app/a1/lse/acme', '{"shares": 3}');
    await peer.publish('/app/a1/nyse/acme', '{"shares": 4}');
    await peer.publish('/app/a1/lse/böll 100%', '{"shares": 5}');
    const [first, second] = [await trades.next(), await trades.next()];
    assert.deepEqual(
      [first, second].map(({ headers, body }) => [headers.destination, headers['content-type'], JSON.parse(body)]),
      [
        ['/topic/a1/lse/acme', 'application/json', { market: 'lse', symbol: 'acme', shares: 3 }],
        ['/topic/a1/lse/böll 100%', 'application/json', { market: 'lse', symbol: 'böll 100%', shares: 5 }],
      ],
    );
    await nothingElse(peer, trades);
    await leave(peer);
  });

  test(`${transport}: a2: an unknown destination names those that look alike`, async () => {
    const peer = await connect();
    const errors = await peer.subscribe('/user/queue/errors');
    for (const [destination, near] of [
      ['/app/a6/al', 'did you mean a6/all'],
      ['/app/a7/tea', 'it takes SUBSCRIBE'],
      ['/app/nothing/like/it/at/all', 'use one that it has'],
    ]) {
      const { code, text } = await fails(peer, errors, destination, '');
      assert.equal(code, 'unknown-destination');
      assert.ok(text.includes(destination.slice('/app/'.length)) && text.includes(near), text);
    }
    await leave(peer);
  });

  test(`${transport}: a3: a handler takes the user, the session, the destination and a header`, async () => {
    for (const login of ['ann', undefined]) {
      const peer = await connect(login);
      const replies = await peer.subscribe('/user/queue/a3');
      await peer.publish('/app/a3', 'grüß Gott', { headers: { priority: '7' } });
      assert.deepEqual(JSON.parse((await replies.next()).body), {
        user: login ?? null,
        session: peer.greeting.headers.session,
        destination: '/app/a3',
        priority: 7,
        body: 'grüß Gott',
      });
      await leave(peer);
    }
  });

  test(`${transport}: a3, a4: what a handler can not take is told with the receipt, and the session goes on`, async () => {
    const peer = await connect();
    const errors = await peer.subscribe('/user/queue/errors');
    const doubles = await peer.subscribe('/topic/a4');
    const text = { headers: { 'content-type': 'text/plain' } };
    for (const [destination, body, code, options] of [
      ['/app/a4', '{"shares": "three"}', 'invalid-payload'],
      ['/app/a4', '{"shares": 3', 'invalid-payload'],
      ['/app/a4', '{"shares": 0}', 'invalid-payload'],
      ['/app/a4', '', 'invalid-payload'],
      ['/app/a4', '{"shares": 3}', 'invalid-payload', text],
      ['/app/a3', '', 'missing-header'],
      ['/app/a3', '', 'invalid-header', { headers: { priority: 'high' } }],
    ]) {
      const told = await fails(peer, errors, destination, body, options);
      assert.equal(told.code, code, `${destination} ${body}`);
    }
    await peer.publish('/app/a4', '{"shares": 3}');
    assert.deepEqual(await doubles.bodies(1), ['6']);
    await leave(peer);
  });

  test(`${transport}: a4, a9: who does not listen for errors gets an ERROR with the receipt, and the session ends`, async () => {
    for (const [destination, code] of [
      ['/app/a4', 'invalid-payload'],
      ['/app/a9/panic', 'internal-error'],
      ['/app/none', 'unknown-destination'],
    ]) {
      const peer = await connect();
      peer.client.publish({ destination, body: '', headers: { receipt: 'r-1' } });
      const { headers } = await within(peer.error.promise, 'ERROR');
      assert.deepEqual([headers.code, headers['receipt-id']], [code, 'r-1']);
      await within(peer.closed.promise, 'close');
    }
  });

  test(`${transport}: a5: what is returned goes to the topic of the same path`, async () => {
    const peer = await connect();
    const [tea, all] = [await peer.subscribe('/topic/a5/tea'), await peer.subscribe('/topic/a5/*')];
    await peer.publish('/app/a5/tea', 'hot');
    await peer.publish('/app/a5/milk', 'cold');
    assert.deepEqual(await all.bodies(2), ['hot', 'cold']);
    assert.deepEqual(await tea.bodies(1), ['hot']);
    await nothingElse(peer, tea, all);
    await leave(peer);
  });

  test(`${transport}: a6: a reply to the user reaches all sessions of it, one to the sender that one alone`, async () => {
    const peers = await Promise.all(['ben', 'ben', 'eve', undefined].map(connect));
    const heard = await Promise.all(peers.map((peer) => peer.subscribe('/user/queue/a6')));
    const [first, , , nobody] = peers;
    await first.publish('/app/a6/all', '');
    await first.publish('/app/a6/sender', '');
    await nobody.publish('/app/a6/all', '');
    assert.deepEqual(await heard[0].bodies(2), ['all of you', 'you alone']);
    const message = await heard[1].next();
    assert.deepEqual([message.body, message.headers.destination], ['all of you', '/user/queue/a6']);
    assert.deepEqual(await heard[3].bodies(1), ['all of you']);
    for (const [at, peer] of peers.entries()) await nothingElse(peer, heard[at]);
    await leave(...peers);
  });

  test(`${transport}: a7: a subscription is answered once and directly, and is not stored`, async () => {
    const [peer, other] = await Promise.all([connect(), connect()]);
    const topic = await other.subscribe('/topic/a7/tea');
    const first = await peer.subscribe('/app/a7/tea');
    const answer = await first.next();
    const times = Number(answer.body.split(' ')[1]);
    assert.deepEqual([answer.body, answer.headers.destination], [`tea ${times}`, '/app/a7/tea']);
    const second = await peer.subscribe('/app/a7/tea');
    assert.deepEqual(await second.bodies(1), [`tea ${times + 1}`]);
    const receipt = peer.receipt();
    first.subscription.unsubscribe({ receipt: receipt.id });
    await receipt;
    await nothingElse(peer, first, second);
    await nothingElse(other, topic);
    await leave(peer, other);
  });

  test(`${transport}: a8: what one session sends to an asynchronous handler is answered in its order`, async () => {
    const [listener, sender] = await Promise.all([connect(), connect()]);
    const numbers = await listener.subscribe('/topic/a8');
    const bodies = Array.from({ length: MANY }, (_, number) => `${number}`);
    for (const body of bodies) sender.client.publish({ destination: '/app/a8', body });
    assert.deepEqual(await numbers.bodies(MANY), bodies);
    await nothingElse(listener, numbers);
    await leave(listener, sender);
  });

  test(`${transport}: a9: an error of a handler is its reply, a panic a failure, and others notice nothing`, async () => {
    const [peer, other] = await Promise.all([connect(), connect()]);
    const [replies, errors] = [await peer.subscribe('/user/queue/a9'), await peer.subscribe('/user/queue/errors')];
    await peer.publish('/app/a9/refuse', '');
    assert.deepEqual(await replies.bodies(1), ['refused by a rule']);
    assert.equal((await fails(peer, errors, '/app/a9/panic', '')).code, 'internal-error');
    await nothingElse(peer, replies, errors);
    await nothingElse(other);
    await leave(peer, other);
  });

  test(`${transport}: a9: a handler that hangs is given up, and the next message is answered`, async (t) => {
    const impatient = await Server.start({
      program: SHOWCASE,
      env: { TIDINGS__APPLICATION__TIMEOUT: '200ms' },
    });
    t.after(() => impatient.stop());
    const peer = await open(impatient);
    const errors = await peer.subscribe('/user/queue/errors');
    assert.equal((await fails(peer, errors, '/app/a9/hang', '')).code, 'application-timeout');
    await nothingElse(peer, errors);
    await leave(peer);
  });

  test(`${transport}: a10: a reply has the headers that its handler gives it, and none of the sender`, async () => {
    const peer = await connect();
    const replies = await peer.subscribe('/topic/a10');
    await peer.publish('/app/a10', 'x', { headers: { 'x-trace': '1', 'message-id': 'mine' } });
    const { headers } = await replies.next();
    assert.deepEqual([headers.flavour, headers['x-trace']], ['own', undefined]);
    assert.notEqual(headers['message-id'], 'mine');
    await leave(peer);
  });

  test(`${transport}: a11: text arrives as it was, with its content-type`, async () => {
    const peer = await connect();
    const texts = await peer.subscribe('/topic/a11/text');
    await peer.publish('/app/a11/text', 'größe: 100% 🎉');
    const text = await texts.next();
    assert.deepEqual([text.body, text.headers['content-type']], ['größe: 100% 🎉', 'text/plain;charset=utf-8']);
    await leave(peer);
  });

  test(`${transport}: a11: octets arrive as they were`, { skip: !binary && 'SockJS carries text' }, async () => {
    const peer = await connect();
    const octets = await peer.subscribe('/topic/a11/bytes');
    const body = Uint8Array.from({ length: 256 }, (_, octet) => octet);
    await peer.publish('/app/a11/bytes', body);
    const message = await octets.next();
    assert.deepEqual([message.binaryBody, message.headers['content-type']], [body, 'application/octet-stream']);
    await leave(peer);
  });

  test(`${transport}: a12: attributes belong to the session`, async () => {
    const peers = await Promise.all([connect('cat'), connect('cat')]);
    const heard = await Promise.all(peers.map((peer) => peer.subscribe('/user/queue/a12')));
    for (const peer of [peers[0], peers[0], peers[1]]) await peer.publish('/app/a12', '');
    assert.deepEqual(await heard[0].bodies(2), ['1', '2']);
    assert.deepEqual(await heard[1].bodies(1), ['1']);
    await leave(...peers);
  });

  test(`${transport}: u2, u4: what is subscribed to behind /user/ is the own session, with the destination as subscribed`, async () => {
    const peers = await Promise.all([connect(), connect()]);
    const heard = await Promise.all(peers.map((peer) => peer.subscribe('/user/queue/x')));
    const { session } = peers[1].greeting.headers;
    await peers[1].publish(`/user/${session}/queue/x`, 'to myself');
    const message = await heard[1].next();
    assert.deepEqual([message.body, message.headers.destination], ['to myself', '/user/queue/x']);
    for (const [at, peer] of peers.entries()) await nothingElse(peer, heard[at]);
    await leave(...peers);
  });

  test(`${transport}: u3: names with slashes and percent signs, by a handler and by the user itself`, async () => {
    for (const name of ['dora/d%2F', 'ça va?*', '100%']) {
      const peers = await Promise.all([connect(name), connect(name), connect('other')]);
      const heard = await Promise.all(peers.map((peer) => peer.subscribe('/user/queue/u3')));
      const reached = await peers[2].subscribe('/user/queue/u3-reached');
      await peers[2].publish('/app/u3', JSON.stringify({ to: name, text: 'by a handler' }));
      assert.deepEqual(await reached.bodies(1), ['2']);
      const receipt = await peers[0].publish(`/user/${encodeURIComponent(name).replace('*', '%2A')}/queue/u3`, 'by itself');
      assert.equal(receipt.headers['sessions-reached'], '2');
      for (const messages of heard.slice(0, 2))
        assert.deepEqual(await messages.bodies(2), ['by a handler', 'by itself']);
      for (const [at, peer] of peers.entries()) await nothingElse(peer, heard[at]);
      await leave(...peers);
    }
  });

  test(`${transport}: u5: another user's destination is refused, and nobody hears of it`, async () => {
    const [mallory, fay] = await Promise.all([connect('mallory'), connect('fay')]);
    const private_ = await fay.subscribe('/user/queue/u3');
    mallory.client.publish({ destination: '/user/fay/queue/u3', body: 'gotcha', headers: { receipt: 'r-5' } });
    const { headers } = await within(mallory.error.promise, 'ERROR');
    assert.deepEqual([headers.code, headers['receipt-id']], ['refused', 'r-5']);
    await nothingElse(fay, private_);
    await leave(fay);
  });

  test(`${transport}: u8: who sends to a user that is not there learns that nobody was reached`, async () => {
    const peer = await connect('gil');
    const reached = await peer.subscribe('/user/queue/u3-reached');
    await peer.publish('/app/u3', JSON.stringify({ to: 'nobody', text: 'anyone?' }));
    assert.deepEqual(await reached.bodies(1), ['0']);
    const receipt = await peer.publish('/user/gil/queue/nothing-listens-here', 'hello');
    assert.equal(receipt.headers['sessions-reached'], '0');
    await leave(peer);
  });
}
