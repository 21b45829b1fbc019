import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const ADDRESS = process.env.TIDINGS_URL;
assert.ok(ADDRESS, 'TIDINGS_URL must be the address of a running server, such as http://127.0.0.1:8080');

/** Where the page is. */
export const PAGE = new URL('/', ADDRESS).href;
/** The pattern of the WebSocket that the page opens. */
export const WEB_SOCKET = /\/ws$/;
/** How long any single expectation may take, in milliseconds. */
export const PATIENCE = 15_000;

/** A headless browser with a profile of its own. */
export function openBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Someone who looks at the page: a browser context with one page, watched for faults. */
export class Person {
  #faults = [];
  #at;
  #forgives;

  /**
   * @param prepare is given the page before it loads
   * @param at the address of the page, where it is not the usual one
   * @param forgives the pattern of what may stand on the console
   * @param options of the browser context: size, colour scheme
   */
  static async arrives(browser, { prepare, at = PAGE, forgives, ...options } = {}) {
    const person = new Person();
    person.#at = at;
    person.#forgives = forgives;
    person.context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    person.page = await person.context.newPage();
    person.page.setDefaultTimeout(PATIENCE);
    person.#watch();
    await prepare?.(person.page);
    await person.page.goto(at);
    return person;
  }

  #watch() {
    const host = new URL(this.#at).host;
    const check = (url) => {
      const { protocol, host: asked } = new URL(url);
      if (protocol !== 'data:' && protocol !== 'blob:' && asked !== host)
        this.#faults.push(`left the host: ${url}`);
    };
    this.page.on('request', (request) => check(request.url()));
    this.page.on('websocket', (socket) => check(socket.url()));
    this.page.on('pageerror', (error) => this.#faults.push(`threw: ${error}`));
    this.page.on('console', (message) => {
      if (!['error', 'warning'].includes(message.type()) || this.#forgives?.test(message.text())) return;
      this.#faults.push(`console: ${message.text()}`);
    });
  }

  /** Leaves, and fails the test if the page did anything that it must not do. */
  async leaves() {
    await this.context.close();
    assert.deepEqual(this.#faults, []);
  }

  async connects(name) {
    await this.page.getByLabel('Your name').fill(name);
    await this.page.getByRole('button', { name: 'Connect', exact: true }).click();
    await this.sees('Connected');
    await this.joined();
  }

  /** Waits until the connection's state reads so. */
  async sees(state) {
    await this.page.locator('#state-text').getByText(state, { exact: true }).waitFor();
  }

  /** Waits until the page says that it is connected over this transport. */
  async travels(over) {
    await this.sees('Connected');
    await this.page.locator('#transport-used').getByText(`over ${over}`, { exact: true }).waitFor();
  }

  /** Chooses a transport by its label. */
  async takes(label) {
    await this.page.getByLabel('Transport', { exact: true }).selectOption({ label });
  }

  /** Waits until the server has confirmed the subscription of the open topic. */
  async joined() {
    await this.page.locator('#talk-state', { hasText: /^\/topic\/\S+$/ }).waitFor();
  }

  async joins(topic) {
    const opener = this.page.locator('#join-opener');
    if (await opener.isVisible()) await opener.click();
    await this.page.getByLabel('Join a topic').fill(topic);
    await this.page.getByRole('button', { name: 'Join', exact: true }).click();
    await this.page.getByRole('heading', { name: topic, exact: true }).waitFor();
    await this.joined();
  }

  async opens(topic) {
    await this.page.getByRole('navigation').getByRole('button', { name: topic }).click();
    await this.page.getByRole('heading', { name: topic, exact: true }).waitFor();
  }

  /** Looks at the ticker, and waits for what it shows. */
  async opensTicker() {
    await this.page.getByRole('navigation').getByRole('button', { name: 'Ticker', exact: true }).click();
    await this.page.locator('#stock-rows tr').first().waitFor();
    await this.page.locator('#cash', { hasText: /\d/ }).waitFor();
  }

  /** @param side `Buy` or `Sell` */
  async trades(side, symbol, shares) {
    await this.page.getByLabel('Stock', { exact: true }).selectOption(symbol);
    await this.page.getByLabel('Shares', { exact: true }).fill(shares);
    await this.page.getByRole('button', { name: side, exact: true }).click();
  }

  /** Waits for these words about an order. */
  async isToldOfOrder(words) {
    await this.page.locator('#order-problem').getByText(words, { exact: true }).waitFor();
  }

  async says(text) {
    const field = this.page.getByLabel('Message', { exact: true });
    await field.fill(text);
    await field.press('Enter');
  }

  /** Waits for a line with this very text in the open topic. */
  async hears(text) {
    await this.page.locator('.log:visible .line').getByText(text, { exact: true }).first().waitFor();
  }

  /** Waits until the first round trip was measured; answers with the latest, as shown. */
  async measures() {
    const last = this.page.locator('#fact-last', { hasText: /\d (ms|s)$/ });
    await last.waitFor();
    return last.textContent();
  }

  async focused() {
    return this.page.evaluate(() => document.activeElement?.id ?? '');
  }
}

/** A name that no other run of the tests uses. */
export function freshName() {
  return `Ada ${Math.random().toString(36).slice(2, 8)}`;
}

/** A topic that no other run of the tests uses. */
export function freshTopic() {
  return `e2e.t${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;
}
