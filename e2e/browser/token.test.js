import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { freshTopic, openBrowser, Person } from './stage.js';

/** What signs tokens of development mode; it is no secret. */
const SECRET = 'tidings-development-secret-which-everybody-knows';
/** What the server adds to the end of a token, for clocks that differ, in seconds. */
const LEEWAY = 30;

let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser?.close());

/** A token whose session lasts so many seconds. */
function token(user, seconds) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.ceil(Date.now() / 1_000) - LEEWAY + seconds;
  const message = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: user, exp })}`;
  return `${message}.${createHmac('sha256', SECRET).update(message).digest('base64url')}`;
}

async function connects(person) {
  await person.page.getByRole('button', { name: 'Connect', exact: true }).click();
  await person.sees('Connected');
  await person.joined();
}

async function chooses(person, name) {
  await person.page.getByLabel('With a token').check();
  await person.page.getByLabel('Your name').fill(name);
}

/** Answers requests for tokens with ones whose sessions last so many seconds. */
function issues(page, user, seconds) {
  return page.route('**/development/token', (route) =>
    route.fulfill({ json: { token: token(user, seconds) } }),
  );
}

test('somebody signs in with a token that the server issues, and renews it when asked', async () => {
  const ada = await Person.arrives(browser);
  await chooses(ada, 'Ada Token');
  await connects(ada);
  await ada.page.locator('#proof-user').getByText('Ada Token', { exact: true }).waitFor();
  await ada.page.locator('#proof-left', { hasText: /^1:[0-3]\d$/ }).waitFor();
  await ada.page.getByRole('button', { name: 'Renew now' }).click();
  const frames = ada.page.getByRole('complementary', { name: 'Frames' });
  const renewal = frames.locator('details', { hasText: '/session/token' }).last();
  await renewal.locator('summary').click();
  await renewal.locator('.wire', { hasText: /Authorization:Bearer \S{8}…/ }).waitFor();
  const receipt = frames.locator('details', { hasText: 'renew-' }).filter({ hasText: 'RECEIPT' }).last();
  await receipt.locator('summary').click();
  await receipt.locator('.wire', { hasText: /session-expires-in:\d+/ }).waitFor();
  await ada.joins(freshTopic());
  await ada.says('Signed by a token');
  await ada.hears('Signed by a token');
  assert.equal(await ada.page.locator('.log:visible .line.own').count(), 1);
  await ada.leaves();
});

test('a token is renewed in time, over the connection that is there', async () => {
  const ada = await Person.arrives(browser, { prepare: (page) => issues(page, 'Ada', 4) });
  await chooses(ada, 'Ada');
  await connects(ada);
  const frames = ada.page.getByRole('complementary', { name: 'Frames' });
  await frames.locator('summary', { hasText: '/session/token' }).nth(1).waitFor();
  await frames.locator('summary', { hasText: 'RECEIPT' }).filter({ hasText: 'renew-' }).nth(1).waitFor();
  assert.equal(await frames.locator('summary', { hasText: 'CONNECTED' }).count(), 1);
  await ada.leaves();
});

test('without a renewal the session ends with its code', async () => {
  const ada = await Person.arrives(browser, { prepare: (page) => issues(page, 'Ada', 4) });
  await chooses(ada, 'Ada');
  await connects(ada);
  await ada.page.getByLabel('Renew it in time').uncheck();
  await ada.page.locator('#farewell', { hasText: '(token-expired)' }).waitFor();
  await ada.sees('Closed');
  await ada.leaves();
});

test('a pasted token says who it is', async () => {
  const ada = await Person.arrives(browser);
  await ada.page.getByLabel('With a token').check();
  await ada.page.getByLabel('or paste one').fill(token('Grace of the token', 600));
  await connects(ada);
  await ada.page.locator('#proof-user').getByText('Grace of the token', { exact: true }).waitFor();
  assert.ok(await ada.page.getByRole('button', { name: 'Renew now' }).isDisabled());
  await ada.page.getByRole('button', { name: 'Disconnect' }).click();
  await ada.page.getByLabel('or paste one').fill('no token');
  await ada.page.getByRole('button', { name: 'Connect', exact: true }).click();
  await ada.page.locator('#farewell', { hasText: 'bad-credentials' }).waitFor();
  await ada.leaves();
});
