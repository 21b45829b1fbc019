import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { BLOCKS, HttpProxy } from './proxy.js';
import { freshTopic, openBrowser, PAGE, Person } from './stage.js';

/** The parameter of the page's url, the label in the chooser, what the status says. */
const TRANSPORTS = [
  ['websocket', 'WebSocket', 'WebSocket'],
  ['sockjs-websocket', 'SockJS WebSocket', 'WebSocket (SockJS)'],
  ['xhr-streaming', 'XHR streaming', 'XHR streaming (SockJS)'],
  ['eventsource', 'EventSource', 'EventSource (SockJS)'],
  ['xhr-polling', 'XHR polling', 'XHR polling (SockJS)'],
];

let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser?.close());

/** Both join a topic and hear each other; the log of the one who comes first shows every frame in its order. */
async function chat(ada, grace) {
  const topic = freshTopic();
  await Promise.all([ada.joins(topic), grace.joins(topic)]);
  await ada.says('100 % “Hello” <from> Ada %41 \u{1f44b}');
  await grace.hears('100 % “Hello” <from> Ada %41 \u{1f44b}');
  await grace.says('Hello from Grace');
  await ada.hears('Hello from Grace');
  await ada.measures();
  const commands = await ada.page.locator('.frame .command').allTextContents();
  const places = ['CONNECT', 'CONNECTED', 'SUBSCRIBE', 'SEND', 'MESSAGE'].map((one) => commands.indexOf(one));
  assert.ok(!places.includes(-1), commands.join(' '));
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
    commands.join(' '),
  );
}

for (const [parameter, label, words] of TRANSPORTS) {
  test(`two people talk, one of them over ${words}`, async () => {
    const [ada, grace] = await Promise.all([
      Person.arrives(browser, { at: new URL(`?transport=${parameter}`, PAGE).href }),
      Person.arrives(browser),
    ]);
    const chosen = ada.page.getByLabel('Transport', { exact: true }).locator('option:checked');
    assert.equal(await chosen.textContent(), label);
    await Promise.all([ada.connects('Ada'), grace.connects('Grace')]);
    await ada.travels(words);
    await chat(ada, grace);
    await ada.page.getByRole('button', { name: 'Disconnect' }).click();
    await ada.sees('Not connected');
    await ada.page.locator('.note', { hasText: `${words} closed` }).waitFor();
    assert.equal(await ada.page.locator('#transport-used').textContent(), '');
    await Promise.all([ada.leaves(), grace.leaves()]);
  });
}

test('another choice reconnects, joins the topics again and stands in the url', async () => {
  const [ada, grace] = await Promise.all([Person.arrives(browser), Person.arrives(browser)]);
  const topic = freshTopic();
  await Promise.all([ada.connects('Ada'), grace.connects('Grace')]);
  await ada.travels('WebSocket');
  await Promise.all([ada.joins(topic), grace.joins(topic)]);
  for (const [parameter, label, words] of TRANSPORTS.toReversed()) {
    await ada.takes(label);
    await ada.travels(words);
    await ada.joined();
    assert.equal(new URL(ada.page.url()).searchParams.get('transport'), parameter);
    await grace.says(`Are you on ${label}?`);
    await ada.hears(`Are you on ${label}?`);
    await ada.says(`I am on ${label}.`);
    await grace.hears(`I am on ${label}.`);
  }
  await ada.takes('Automatic');
  await ada.travels('WebSocket');
  assert.equal(ada.page.url(), PAGE);
  await Promise.all([ada.leaves(), grace.leaves()]);
});

/** Ada behind a proxy that lets no WebSocket through, Grace without. */
async function aroundProxy(t, options) {
  const proxy = await HttpProxy.open(new URL(PAGE).host, options);
  t.after(() => proxy.close());
  const forgives = /^WebSocket connection to .* failed/;
  return Promise.all([
    Person.arrives(browser, { at: `http://${proxy.address}/`, forgives }),
    Person.arrives(browser),
  ]);
}

for (const [name, block] of Object.entries(BLOCKS)) {
  test(`where a proxy blocks WebSocket (${name}), automatic finds another way`, async (t) => {
    const [ada, grace] = await aroundProxy(t, { block });
    await Promise.all([ada.connects('Ada'), grace.connects('Grace')]);
    await ada.travels('XHR streaming (SockJS)');
    await chat(ada, grace);
    await Promise.all([ada.leaves(), grace.leaves()]);
  });
}

test('where a proxy also holds answers back, automatic goes on with polling', async (t) => {
  const [ada, grace] = await aroundProxy(t, { block: BLOCKS.refuse, buffering: true });
  await Promise.all([ada.connects('Ada'), grace.connects('Grace')]);
  await ada.travels('XHR polling (SockJS)');
  await chat(ada, grace);
  await Promise.all([ada.leaves(), grace.leaves()]);
});

test('a transport that was forced and does not get through says so, and another choice helps', async (t) => {
  const [ada, grace] = await aroundProxy(t, { block: BLOCKS.refuse });
  await Promise.all([ada.connects('Ada'), grace.connects('Grace')]);
  await ada.takes('SockJS WebSocket');
  await ada.sees('Waiting to reconnect');
  await ada.page.locator('#banner').getByText('This transport did not get through.').waitFor();
  await ada.takes('XHR polling');
  await ada.travels('XHR polling (SockJS)');
  await chat(ada, grace);
  await Promise.all([ada.leaves(), grace.leaves()]);
});

test('the client of SockJS is loaded when it is needed, and again where that failed', async () => {
  const ada = await Person.arrives(browser, { forgives: /^Failed to load resource/ });
  let asked = 0;
  await ada.page.route('**/sockjs.min.js', (route) => {
    asked += 1;
    return asked === 1 ? route.abort() : route.continue();
  });
  await ada.connects('Ada');
  assert.equal(asked, 0);
  await ada.takes('XHR streaming');
  await ada.sees('Waiting to reconnect');
  await ada.page.locator('#banner').getByText('The server did not answer.').waitFor();
  await ada.travels('XHR streaming (SockJS)');
  await ada.takes('EventSource');
  await ada.travels('EventSource (SockJS)');
  assert.equal(asked, 2);
  await ada.leaves();
});
