import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { freshTopic, openBrowser, Person } from './stage.js';

let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser?.close());

async function two() {
  return Promise.all([Person.arrives(browser), Person.arrives(browser)]);
}

test('two people join a topic and hear each other', async () => {
  const [ada, grace] = await two();
  const topic = freshTopic();
  await Promise.all([ada.connects('Ada'), grace.connects('Grace')]);
  await Promise.all([ada.joins(topic), grace.joins(topic)]);
  await ada.says('Hello from Ada');
  await Promise.all([ada.hears('Hello from Ada'), grace.hears('Hello from Ada')]);
  await grace.says('Hello from Grace');
  await Promise.all([ada.hears('Hello from Grace'), grace.hears('Hello from Grace')]);
  assert.equal(await ada.page.locator('.log:visible .line.own').count(), 1);
  assert.equal(await ada.page.locator('.log:visible .line.said').count(), 2);
  assert.equal(await ada.page.locator('.log:visible .line:not(.own) .name').textContent(), 'Grace');
  await Promise.all([ada.leaves(), grace.leaves()]);
});

test('the page shows the negotiated version, the heart-beat and the latency', async () => {
  const ada = await Person.arrives(browser);
  await ada.connects('Ada');
  assert.equal(await ada.page.locator('#fact-version').textContent(), '1.2');
  assert.match((await ada.page.locator('#fact-heart-beat').textContent()) ?? '', /^(off|[\d.]+ s)/);
  await ada.joins(freshTopic());
  await ada.says('How long does it take?');
  assert.match(await ada.measures(), /^[\d.]+ (ms|s)$/);
  assert.match((await ada.page.locator('#fact-p50').textContent()) ?? '', /^[\d.]+ (ms|s)$/);
  await ada.leaves();
});

test('the frame log shows what crosses the connection, and can be cleared', async () => {
  const ada = await Person.arrives(browser);
  await ada.connects('Ada');
  await ada.joins(freshTopic());
  await ada.says('Look at the frames');
  await ada.measures();
  const frames = ada.page.getByRole('complementary', { name: 'Frames' });
  for (const command of ['CONNECT', 'CONNECTED', 'SUBSCRIBE', 'SEND', 'MESSAGE', 'RECEIPT']) {
    await frames.getByText(command, { exact: true }).first().waitFor();
  }
  const message = frames.locator('details', { hasText: 'MESSAGE' }).last();
  await message.locator('summary').click();
  await message.locator('.wire', { hasText: 'Look at the frames' }).waitFor();
  await frames.getByRole('button', { name: 'Clear' }).click();
  assert.equal(await frames.locator('.frame').count(), 0);
  await ada.leaves();
});

test('a paused log stands still and catches up', async () => {
  const ada = await Person.arrives(browser);
  await ada.connects('Ada');
  await ada.joins(freshTopic());
  const frames = ada.page.getByRole('complementary', { name: 'Frames' });
  await frames.getByRole('button', { name: 'Pause' }).click();
  const before = await frames.locator('.frame').count();
  await ada.says('Unseen');
  await ada.hears('Unseen');
  await ada.measures();
  await frames.getByText(/^paused, \d+ more$/).waitFor();
  assert.equal(await frames.locator('.frame').count(), before);
  await frames.getByRole('button', { name: 'Resume' }).click();
  await frames.locator('summary', { hasText: 'SEND' }).waitFor();
  await ada.leaves();
});

test('what is said elsewhere is counted until it is looked at, and nothing comes after leaving', async () => {
  const [ada, grace] = await two();
  const topic = freshTopic();
  await Promise.all([ada.connects('Ada'), grace.connects('Grace')]);
  await Promise.all([ada.joins(topic), grace.joins(topic)]);
  await ada.opens('chat.lobby');
  await grace.says('one');
  await grace.says('two');
  const row = ada.page.getByRole('navigation').getByRole('button', { name: `${topic}, 2 unread` });
  await row.waitFor();
  await row.click();
  await ada.hears('two');
  await ada.page.getByRole('navigation').getByRole('button', { name: topic, exact: true }).waitFor();
  await ada.page.getByRole('button', { name: 'Leave this topic' }).click();
  assert.equal(await ada.page.getByRole('navigation').getByRole('button', { name: topic }).count(), 0);
  await ada.page.locator('.frame', { hasText: 'UNSUBSCRIBE' }).waitFor();
  await Promise.all([ada.leaves(), grace.leaves()]);
});

test('text from others is text, whatever it looks like', async () => {
  const [ada, grace] = await two();
  const topic = freshTopic();
  await Promise.all([ada.connects('Ada'), grace.connects('<i>Grace</i>')]);
  await Promise.all([ada.joins(topic), grace.joins(topic)]);
  const text = '<img src=x onerror="document.title=1"> & “quotes”';
  await grace.says(text);
  await ada.hears(text);
  await ada.hears('<i>Grace</i>');
  assert.equal(await ada.page.locator('.log img, .log i').count(), 0);
  await Promise.all([ada.leaves(), grace.leaves()]);
});

test('a disconnect ends the session, and another name can begin one', async () => {
  const ada = await Person.arrives(browser);
  await ada.connects('Ada');
  await ada.page.getByRole('button', { name: 'Disconnect' }).click();
  await ada.sees('Not connected');
  await ada.page.locator('.frame', { hasText: 'DISCONNECT' }).waitFor();
  await ada.connects('Ada again');
  await ada.leaves();
});
