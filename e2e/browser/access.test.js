import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { freshTopic, openBrowser, Person } from './stage.js';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser?.close());

/** Fails with the rule and the place of whatever axe finds against WCAG 2.2 AA. */
async function isAccessible(person, where) {
  const found = await person.page.evaluate(async (source) => {
    if (window.axe === undefined) new Function(source)();
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const { violations } = await window.axe.run(document, { runOnly: tags });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
  }, axe);
  assert.deepEqual(found, [], where);
}

test('the keyboard alone is enough', async () => {
  const ada = await Person.arrives(browser);
  const { keyboard } = ada.page;
  const tabTo = async (id) => {
    for (let presses = 0; presses < 40 && (await ada.focused()) !== id; presses += 1)
      await keyboard.press('Tab');
    assert.equal(await ada.focused(), id);
  };
  await tabTo('name');
  await keyboard.type('Ada');
  await keyboard.press('Enter');
  await ada.sees('Connected');
  assert.equal(await ada.focused(), 'text');
  await tabTo('join-name');
  const topic = freshTopic();
  await keyboard.type(topic);
  await keyboard.press('Enter');
  await ada.page.getByRole('heading', { name: topic, exact: true }).waitFor();
  await ada.joined();
  assert.equal(await ada.focused(), 'text');
  await keyboard.type('one');
  await keyboard.press('Shift+Enter');
  await keyboard.type('two');
  await keyboard.press('Enter');
  await ada.hears('one two');
  await tabTo('show-help');
  await keyboard.press('Enter');
  assert.equal(await ada.focused(), 'help-title');
  await keyboard.press('Escape');
  assert.equal(await ada.page.locator('#help').isVisible(), false);
  assert.equal(await ada.focused(), 'show-help');
  await ada.leaves();
});

test('on a phone an open pane covers the conversation and gives it back', async () => {
  const ada = await Person.arrives(browser, { viewport: { width: 360, height: 740 } });
  await ada.connects('Ada');
  await ada.page.getByRole('button', { name: 'Frames', exact: true }).click();
  await ada.page.getByRole('complementary', { name: 'Frames' }).waitFor();
  assert.equal(await ada.page.locator('#talk').evaluate((talk) => talk.inert), true);
  await ada.page.keyboard.press('Escape');
  assert.equal(await ada.page.locator('#talk').evaluate((talk) => talk.inert), false);
  assert.equal(await ada.focused(), 'show-frames');
  await ada.leaves();
});

test('nothing is wider than a phone', async () => {
  const ada = await Person.arrives(browser, { viewport: { width: 320, height: 640 } });
  await ada.connects('A name as long as the page will take it !');
  await ada.joins(freshTopic());
  await ada.says('w'.repeat(600));
  await ada.hears('w'.repeat(600));
  for (const pane of ['Frames', 'How this works']) {
    assert.ok(await ada.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await ada.page.getByRole('button', { name: pane, exact: true }).click();
  }
  assert.ok(await ada.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await ada.page.keyboard.press('Escape');
  await ada.opensTicker();
  await ada.trades('Buy', 'TIDE', '100');
  await ada.page.locator('#position-rows tr').first().waitFor();
  const scroll = ada.page.locator('.ticker-scroll');
  assert.ok(await scroll.evaluate((element) => element.scrollWidth <= element.clientWidth));
  assert.ok(await ada.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await ada.leaves();
});

test('the chosen theme is remembered', async () => {
  const ada = await Person.arrives(browser, { colorScheme: 'light' });
  const ground = () => ada.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await ada.page.getByRole('button', { name: 'Theme: automatic' }).click();
  await ada.page.getByRole('button', { name: 'Theme: light' }).click();
  const dark = await ground();
  assert.notEqual(dark, light);
  await ada.page.reload();
  await ada.page.getByRole('button', { name: 'Theme: dark' }).waitFor();
  assert.equal(await ground(), dark);
  await ada.leaves();
});

for (const colorScheme of ['light', 'dark']) {
  for (const width of [360, 1440]) {
    test(`axe finds nothing to mend, ${colorScheme}, ${width} px`, async () => {
      const [ada, grace] = await Promise.all([
        Person.arrives(browser, { colorScheme, viewport: { width, height: 800 } }),
        Person.arrives(browser),
      ]);
      const topic = freshTopic();
      await isAccessible(ada, 'welcome');
      await Promise.all([ada.connects('Ada'), grace.connects('Grace')]);
      await Promise.all([ada.joins(topic), grace.joins(topic)]);
      await ada.says('Hello');
      await grace.says('Hi');
      await ada.hears('Hi');
      await ada.hears('Hello');
      await isAccessible(ada, 'conversation');
      if (width < 900) await ada.page.getByRole('button', { name: 'Frames', exact: true }).click();
      await ada.page.locator('summary', { hasText: 'MESSAGE' }).last().click();
      await ada.page.locator('.wire').waitFor();
      await isAccessible(ada, 'frames');
      await ada.page.getByRole('button', { name: 'How this works' }).click();
      await isAccessible(ada, 'help');
      await ada.page.keyboard.press('Escape');
      await ada.opensTicker();
      await ada.trades('Buy', 'TIDE', '1');
      await ada.page.locator('#position-rows tr').first().waitFor();
      await ada.trades('Sell', 'TIDE', '9999');
      await ada.isToldOfOrder(/too-few-shares/);
      await isAccessible(ada, 'ticker');
      await Promise.all([ada.leaves(), grace.leaves()]);
    });
  }
}
