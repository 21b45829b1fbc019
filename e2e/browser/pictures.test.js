import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Line } from './line.js';
import { freshName, openBrowser, Person, WEB_SOCKET } from './stage.js';

const folder = process.env.SCREENSHOTS;
const skip = folder ? false : 'SCREENSHOTS names no folder';

let browser;
before(async () => {
  if (skip) return;
  await mkdir(folder, { recursive: true });
  browser = await openBrowser();
});
after(() => browser?.close());

for (const colorScheme of ['light', 'dark']) {
  for (const [width, height] of [
    [360, 740],
    [1440, 900],
  ]) {
    test(`pictures, ${colorScheme}, ${width} px`, { skip }, () =>
      takePictures({ colorScheme, width, height }),
    );
  }
}

async function takePictures({ colorScheme, width, height }) {
  const line = new Line();
  const ada = await Person.arrives(browser, {
    colorScheme,
    viewport: { width, height },
    deviceScaleFactor: width < 900 ? 2 : 1,
    prepare: (page) => line.lay(page, WEB_SOCKET),
  });
  const grace = await Person.arrives(browser);
  const take = (name) => ada.page.screenshot({ path: join(folder, `${name}-${colorScheme}-${width}.png`) });
  await take('welcome');
  await Promise.all([ada.connects('Ada'), grace.connects('Grace')]);
  await talk(ada, grace);
  await take('conversation');
  if (width < 900) await ada.page.getByRole('button', { name: 'Frames', exact: true }).click();
  await ada.page.locator('summary', { hasText: 'MESSAGE' }).last().click();
  await ada.page.locator('.wire').waitFor();
  await take('frames');
  await ada.page.getByRole('button', { name: 'How this works' }).click();
  await take('help');
  await ada.page.keyboard.press('Escape');
  await takeTicker({ colorScheme, width, height });
  await ada.takes('XHR streaming');
  await ada.travels('XHR streaming (SockJS)');
  await ada.joined();
  await take('transport');
  await ada.takes('Automatic');
  await ada.travels('WebSocket');
  line.cut();
  await ada.sees('Waiting to reconnect');
  await take('reconnecting');
  await takeTokens({ colorScheme, width, height });
  await Promise.all([ada.leaves(), grace.leaves()]);
}

async function takeTokens({ colorScheme, width, height }) {
  const ann = await Person.arrives(browser, {
    colorScheme,
    viewport: { width, height },
    deviceScaleFactor: width < 900 ? 2 : 1,
  });
  const take = (name) => ann.page.screenshot({ path: join(folder, `${name}-${colorScheme}-${width}.png`) });
  await ann.page.getByLabel('With a token').check();
  await take('sign-in');
  await ann.connects('Ann');
  await ann.page.getByRole('button', { name: 'Renew now' }).click();
  await take('token');
  await ann.leaves();
}

/** By someone who has traded nothing yet, so that each picture shows the same positions. */
async function takeTicker({ colorScheme, width, height }) {
  const joan = await Person.arrives(browser, {
    colorScheme,
    viewport: { width, height },
    deviceScaleFactor: width < 900 ? 2 : 1,
  });
  const take = (name) =>
    joan.page.screenshot({ path: join(folder, `${name}-${colorScheme}-${width}.png`) });
  await joan.connects(freshName());
  await joan.opensTicker();
  await take('ticker');
  for (const [symbol, shares] of [
    ['TIDE', '12'],
    ['LOOM', '80'],
  ]) {
    await joan.trades('Buy', symbol, shares);
    await joan.page.locator('#position-rows').getByText(symbol, { exact: true }).waitFor();
  }
  await joan.trades('Buy', 'KITE', '900');
  await joan.isToldOfOrder(/no-funds/);
  await take('ticker-orders');
  await joan.leaves();
}

async function talk(ada, grace) {
  const [topic, other] = ['chat.pictures', 'chat.elsewhere'];
  await Promise.all([ada.joins(other), grace.joins(other)]);
  await Promise.all([ada.joins(topic), grace.joins(topic)]);
  await grace.opens(other);
  await grace.says('Anybody here?');
  await grace.opens(topic);
  const lines = [
    [ada, 'Hello Grace! This went through the server and back.'],
    [grace, 'Hi Ada, I see it.'],
    [grace, 'Look at the frames: every one of them is there.'],
    [ada, 'Same here.'],
  ];
  for (const [who, text] of lines) {
    await who.says(text);
    await Promise.all([ada.hears(text), grace.hears(text)]);
  }
}
