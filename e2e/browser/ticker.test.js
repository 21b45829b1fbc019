import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from '../stompjs/server.js';
import { Line } from './line.js';
import { freshName, openBrowser, PAGE, Person, WEB_SOCKET } from './stage.js';

let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser?.close());

/** Someone under a name of their own, who looks at the ticker. */
async function trader(name = freshName(), options) {
  const person = await Person.arrives(browser, options);
  await person.connects(name);
  await person.opensTicker();
  return person;
}

/** Waits until a price changes while the page is looked at. */
async function seesPricesMove(person) {
  await person.page.locator('#stock-rows [data-flash]').first().waitFor();
}

const heldBy = (person, symbol) =>
  person.page.locator('#position-rows tr', { has: person.page.getByText(symbol, { exact: true }) });

/** Waits until so many shares stand beside the symbol. */
async function holds(person, symbol, shares) {
  await heldBy(person, symbol).locator('td').first().getByText(shares, { exact: true }).waitFor();
}

const TRANSPORTS = [
  ['websocket', 'WebSocket'],
  ['sockjs-websocket', 'WebSocket (SockJS)'],
  ['xhr-streaming', 'XHR streaming (SockJS)'],
  ['eventsource', 'EventSource (SockJS)'],
  ['xhr-polling', 'XHR polling (SockJS)'],
];

for (const [parameter, words] of TRANSPORTS) {
  test(`prices move, and orders are filled or refused, over ${words}`, async () => {
    const ada = await trader(freshName(), { at: new URL(`?transport=${parameter}`, PAGE).href });
    await ada.travels(words);
    assert.equal(await ada.page.locator('#stock-rows tr').count(), 8);
    await seesPricesMove(ada);
    await ada.page.getByText('You hold nothing yet.').waitFor();
    await ada.trades('Buy', 'TIDE', '5');
    await holds(ada, 'TIDE', '5');
    assert.match(await ada.measures(), /^[\d.]+ (ms|s)$/);
    await ada.trades('Sell', 'TIDE', '2');
    await holds(ada, 'TIDE', '3');
    await ada.trades('Sell', 'TIDE', '4');
    await ada.isToldOfOrder('You hold 3 of these only (too-few-shares).');
    await ada.trades('Buy', 'KITE', '9999');
    await ada.isToldOfOrder(/^That costs [\d.]+, and you have [\d.]+ \(no-funds\)\.$/);
    await ada.trades('Sell', 'TIDE', '3');
    await ada.page.getByText('You hold nothing yet.').waitFor();
    assert.equal(await ada.page.locator('#order-problem').textContent(), '');
    await ada.leaves();
  });
}

test('both windows of one user see a trade, and only the one that asked its error', async () => {
  const name = freshName();
  const [here, there, grace] = await Promise.all([trader(name), trader(name), trader()]);
  await here.trades('Buy', 'LOOM', '7');
  await Promise.all([holds(here, 'LOOM', '7'), holds(there, 'LOOM', '7')]);
  const cash = (person) => person.page.locator('#cash').textContent();
  assert.equal(await cash(there), await cash(here));
  await here.trades('Sell', 'CLAY', '1');
  await here.isToldOfOrder('You hold none of these (too-few-shares).');
  // What comes after it has come; so would have the error.
  await here.trades('Buy', 'LOOM', '1');
  await holds(there, 'LOOM', '8');
  assert.equal(await there.page.locator('#order-problem').textContent(), '');
  assert.equal(await grace.page.locator('#position-rows tr').count(), 0);
  await Promise.all([here.leaves(), there.leaves(), grace.leaves()]);
});

test('after a lost connection the prices move again, and the positions are there', async () => {
  const line = new Line();
  const ada = await trader(freshName(), { prepare: (page) => line.lay(page, WEB_SOCKET) });
  await ada.trades('Buy', 'FERN', '2');
  await holds(ada, 'FERN', '2');
  line.cut();
  await ada.sees('Waiting to reconnect');
  await ada.page.locator('#banner').getByText('The node stops.').waitFor();
  await ada.page.getByLabel('Shares', { exact: true }).press('Enter');
  await ada.isToldOfOrder('Not connected: try again when the connection is back.');
  line.mend();
  await ada.sees('Connected');
  await ada.trades('Buy', 'FERN', '1');
  await holds(ada, 'FERN', '3');
  await ada.page.locator('[data-flash]').evaluateAll((lit) => {
    for (const element of lit) delete element.dataset.flash;
  });
  await seesPricesMove(ada);
  await ada.leaves();
});

test('the positions are there when the page is loaded again', async () => {
  const name = freshName();
  const ada = await trader(name);
  await ada.trades('Buy', 'BREW', '4');
  await holds(ada, 'BREW', '4');
  await ada.page.reload();
  await ada.connects(name);
  await ada.opensTicker();
  await holds(ada, 'BREW', '4');
  await ada.leaves();
});

test('who does not look at the ticker is sent no prices', async () => {
  const line = new Line();
  const ada = await Person.arrives(browser, { prepare: (page) => line.lay(page, WEB_SOCKET) });
  const asked = () => line.sent.filter((frame) => frame.includes('/topic/price/')).length;
  await ada.connects(freshName());
  assert.equal(asked(), 0);
  await ada.opensTicker();
  assert.equal(asked(), 1);
  await seesPricesMove(ada);
  await ada.page.getByRole('navigation').getByRole('button', { name: 'chat.lobby' }).click();
  await ada.page.getByRole('heading', { name: 'chat.lobby', exact: true }).waitFor();
  assert.equal(await ada.page.locator('#ticker').isVisible(), false);
  assert.equal(line.sent.filter((frame) => frame.startsWith('UNSUBSCRIBE')).length, 5);
  await ada.opensTicker();
  assert.equal(asked(), 2);
  await ada.leaves();
});

test('prices that follow each other share a line of the frame log', async () => {
  const ada = await trader();
  const frames = ada.page.getByRole('complementary', { name: 'Frames' });
  await frames.locator('summary .gist', { hasText: /^\/topic\/price\/[A-Z]{4} ×[2-9]/ }).waitFor();
  await ada.leaves();
});

test('what is said in the chat meanwhile is counted', async () => {
  const [ada, grace] = await Promise.all([trader(), Person.arrives(browser)]);
  await grace.connects('Grace');
  await grace.says('Are you rich?');
  await ada.page
    .getByRole('navigation')
    .getByRole('button', { name: /^chat\.lobby, \d+ unread$/ })
    .click();
  await ada.hears('Are you rich?');
  await Promise.all([ada.leaves(), grace.leaves()]);
});

test('the keyboard alone is enough to trade', async () => {
  const ada = await Person.arrives(browser);
  await ada.connects(freshName());
  const { keyboard } = ada.page;
  await ada.page.locator('#open-ticker').focus();
  await keyboard.press('Enter');
  await ada.page.locator('#buy').waitFor();
  const tabTo = async (text) => {
    const reached = () => ada.page.evaluate(() => document.activeElement?.textContent ?? '');
    for (let presses = 0; presses < 40 && !(await reached()).startsWith(text); presses += 1)
      await keyboard.press('Tab');
    assert.ok((await reached()).startsWith(text));
  };
  await tabTo('DOCK');
  await keyboard.press('Enter');
  assert.equal(await ada.focused(), 'order-shares');
  await keyboard.type('6');
  await keyboard.press('Enter');
  await holds(ada, 'DOCK', '6');
  await keyboard.type('x');
  await ada.page.locator('#order-shares').fill('');
  await keyboard.press('Enter');
  await ada.isToldOfOrder('Write a whole number of shares, 1 to 10000.');
  assert.equal(await ada.focused(), 'order-shares');
  await ada.leaves();
});

test('a server whose back ends are no ticker says so, and the chat goes on', async (t) => {
  const config = '[http]\ndemo = true\n[webhook]\nroutes = ["other -> http://127.0.0.1:1/"]\nsecret = "known-to-this-test"\n';
  const server = await Server.start({ config });
  t.after(() => server.stop());
  const ada = await Person.arrives(browser, { at: `http://${server.address}/` });
  await ada.connects(freshName());
  await ada.page.getByRole('navigation').getByRole('button', { name: 'Ticker' }).click();
  await ada.page.getByText(/^No ticker on this server\. .* \(unknown-destination\)\.$/).waitFor();
  assert.equal(await ada.page.locator('#buy').isVisible(), false);
  await ada.opens('chat.lobby');
  await ada.says('Only chat here');
  await ada.hears('Only chat here');
  await ada.leaves();
});
