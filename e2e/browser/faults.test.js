import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Line } from './line.js';
import { freshTopic, openBrowser, Person, WEB_SOCKET } from './stage.js';

let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser?.close());

async function onLine(line = new Line()) {
  const person = await Person.arrives(browser, { prepare: (page) => line.lay(page, WEB_SOCKET) });
  return { person, line };
}

test('a server that goes away is waited for, and the topics are joined again', async () => {
  const { person: ada, line } = await onLine();
  const grace = await Person.arrives(browser);
  const topic = freshTopic();
  await Promise.all([ada.connects('Ada'), grace.connects('Grace')]);
  await Promise.all([ada.joins(topic), grace.joins(topic)]);
  line.cut();
  await ada.sees('Waiting to reconnect');
  const banner = ada.page.locator('#banner');
  await banner.getByText('The node stops.').waitFor();
  await banner.getByText(/Next try in \d+\ss\./).waitFor();
  await ada.says('Too early');
  await ada.page.getByText('Not connected: your text stays here').waitFor();
  assert.equal(await ada.page.getByLabel('Message', { exact: true }).inputValue(), 'Too early');
  line.mend();
  await ada.sees('Connected');
  await ada.joined();
  await ada.page.getByRole('button', { name: 'Send', exact: true }).click();
  await grace.hears('Too early');
  await grace.says('Welcome back');
  await ada.hears('Welcome back');
  assert.equal(await banner.isVisible(), false);
  await Promise.all([ada.leaves(), grace.leaves()]);
});

test('“Retry now” ends the wait', async () => {
  const { person: ada, line } = await onLine();
  await ada.connects('Ada');
  line.cut();
  // The first waits are so short that they could end by themselves before the button is reached.
  await ada.page.getByText(/Next try in ([3-9]|\d\d)\ss\./).waitFor();
  line.mend();
  await ada.page.getByRole('button', { name: 'Retry now' }).click();
  await ada.sees('Connected');
  await ada.leaves();
});

test('a login that is refused is told in the server’s words, with its code', async () => {
  const ada = await Person.arrives(browser, {
    prepare: (page) =>
      page.routeWebSocket(WEB_SOCKET, (socket) => {
        socket.onMessage(() => {
          socket.send('ERROR\ncode:unauthenticated\nmessage:choose another name\n\n\0');
          socket.close({ code: 1008 });
        });
      }),
  });
  await ada.page.getByLabel('Your name').fill('nobody');
  await ada.page.getByLabel('Your name').press('Enter');
  await ada.sees('Closed');
  await ada.page.getByRole('alert').getByText('Choose another name (unauthenticated).').waitFor();
  await ada.leaves();
});

test('a message that is not JSON is shown as plain text', async () => {
  const { person: ada, line } = await onLine();
  const topic = freshTopic();
  await ada.connects('Ada');
  await ada.joins(topic);
  const id = line.subscription(`/topic/${topic}`);
  line.toPage(`MESSAGE\nsubscription:${id}\nmessage-id:1\ndestination:/topic/${topic}\n\nnot {json\0`);
  await ada.hears('not {json');
  await ada.leaves();
});

test('thousands of messages leave the page quick and its lists bounded', async () => {
  const { person: ada, line } = await onLine();
  const topic = freshTopic();
  await ada.connects('Ada');
  await ada.joins(topic);
  const id = line.subscription(`/topic/${topic}`);
  const head = `MESSAGE\nsubscription:${id}\ndestination:/topic/${topic}\nmessage-id:`;
  for (let number = 1; number <= 5_000; number += 1) {
    const body = JSON.stringify({
      from: 'Flood',
      text: `number ${number} ${'long '.repeat(20)}`.trim(),
      sent: 0,
    });
    line.toPage(`${head}${number}\n\n${body}\0`);
  }
  await ada.page.locator('.log:visible .line', { hasText: 'number 5000' }).waitFor();
  assert.equal(await ada.page.locator('.log:visible .line').count(), 500);
  assert.ok((await ada.page.locator('.frame').count()) <= 400);
  await ada.says('still here');
  await ada.hears('still here');
  await ada.leaves();
});

test('without storage the page works and forgets', async () => {
  const ada = await Person.arrives(browser, {
    prepare: (page) =>
      page.addInitScript(() => {
        Object.defineProperty(window, 'localStorage', {
          get() {
            throw new DOMException('denied', 'SecurityError');
          },
        });
      }),
  });
  await ada.page.getByRole('button', { name: 'Theme: automatic' }).click();
  await ada.connects('Ada');
  await ada.leaves();
});
