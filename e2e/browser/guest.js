import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { openBrowser, PATIENCE } from './stage.js';

const { resolve } = createRequire(import.meta.url);
/** The two libraries as their makers bundle them for pages. */
const LIBRARIES = [resolve('sockjs-client/dist/sockjs.js'), resolve('@stomp/stompjs')];

export { openBrowser, PATIENCE };

const EMPTY = '<!doctype html><title>A page of the tests</title><link rel="icon" href="data:,">';

/** An HTTP server with one empty page: the home of pages that are not the server's own. */
export class Pages {
  static async open() {
    const pages = new Pages();
    pages.server = createServer((_, response) => {
      response.setHeader('content-type', 'text/html; charset=utf-8');
      response.end(EMPTY);
    });
    await new Promise((ready) => pages.server.listen(0, '127.0.0.1', ready));
    return pages;
  }

  /** An origin at which the page is: 127.0.0.1 is the site of the server and localhost another one. */
  origin(host) {
    return `http://${host}:${this.server.address().port}`;
  }

  async close() {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }
}

/** A page with stompjs over sockjs-client, watched for faults. */
export class Guest {
  #faults = [];
  /** The status of every response that the page got, by path without the parts that are random. */
  answers = [];
  /** The addresses of the SockJS sessions that the page asked for. */
  sessions = new Set();

  /**
   * @param home the address of the page
   * @param library the file or the address that sockjs-client is loaded from
   * @param options of the browser context
   */
  static async arrives(browser, home, { library = LIBRARIES[0], ...options } = {}) {
    const guest = new Guest();
    // The server's own pages run no scripts but their own; those of the tests come in past that.
    guest.context = await browser.newContext({ bypassCSP: true, ...options });
    guest.page = await guest.context.newPage();
    guest.page.setDefaultTimeout(PATIENCE);
    guest.page.on('pageerror', (error) => guest.#faults.push(`threw: ${error}`));
    guest.page.on('request', (request) => {
      const session = /^.*\/\d{3}\/[a-z0-5]{8}(?=\/)/.exec(request.url());
      if (session) guest.sessions.add(session[0]);
    });
    guest.page.on('response', (response) => {
      const path = new URL(response.url()).pathname.replace(/\/\d{3}\/[a-z0-5]{8}\//, '/*/*/');
      guest.answers.push(`${response.status()} ${path}`);
    });
    await guest.page.goto(home);
    await guest.page.addScriptTag(library.startsWith('http') ? { url: library } : { path: library });
    await guest.page.addScriptTag({ path: LIBRARIES[1] });
    return guest;
  }

  /**
   * Opens a STOMP session over SockJS; answers with the transport that was taken.
   *
   * @param transports one name or several; without, sockjs-client chooses
   * @param timeout how long a transport may take, in milliseconds; without, twice 300 ms and the round trip
   * @param headers of CONNECT
   */
  async connects(url, transports, { timeout = PATIENCE, headers = {} } = {}) {
    const connected = this.page.evaluate(openSession, { url, transports, timeout, headers });
    return this.#within(connected, 'CONNECTED');
  }

  /** Subscribes, and waits for the receipt. */
  async subscribes(destination) {
    const receipt = this.page.evaluate((to) => window.session.subscribes(to), destination);
    await this.#within(receipt, 'RECEIPT of SUBSCRIBE');
  }

  /** Publishes, and waits for the receipt. */
  async publishes(destination, body) {
    const receipt = this.page.evaluate(
      ([to, text]) => window.session.publishes(to, text),
      [destination, body],
    );
    await this.#within(receipt, 'RECEIPT of SEND');
  }

  /** The bodies of the next `number` messages. */
  async hears(number) {
    return this.#within(
      this.page.evaluate((count) => window.session.hears(count), number),
      'MESSAGE',
    );
  }

  /** The name that CONNECTED told. */
  async isCalled() {
    return this.page.evaluate(() => window.session.greeting['user-name']);
  }

  /** The ERROR frame's code, when one comes. */
  async isRefused() {
    return this.#within(
      this.page.evaluate(() => window.session.refused),
      'ERROR',
    );
  }

  /** The code, the reason and whether it was clean, once the connection has closed. */
  async isClosed() {
    return this.#within(
      this.page.evaluate(() => window.session.closed),
      'close',
    );
  }

  /** Says DISCONNECT, and waits for the end of the connection. */
  async disconnects() {
    await this.#within(
      this.page.evaluate(() => window.session.client.deactivate()),
      'DISCONNECT',
    );
    return this.isClosed();
  }

  /** Leaves the page, and fails if it threw. */
  async leaves() {
    await this.context.close();
    assert.deepEqual(this.#faults, []);
  }

  #within(promise, what) {
    let late;
    const deadline = new Promise((_, reject) => {
      late = setTimeout(() => {
        const told = [...this.#faults, ...this.answers].join('\n');
        reject(new Error(`no ${what} within ${PATIENCE} ms; the page got:\n${told}`));
      }, PATIENCE);
    });
    return Promise.race([promise, deadline]).finally(() => clearTimeout(late));
  }
}

/** Runs in the page: a STOMP client in `window.session`, and the transport once it is connected. */
function openSession({ url, transports, timeout, headers: connectHeaders }) {
  const { SockJS, StompJs } = window;
  const heard = [];
  const wanted = [];
  const session = { receipts: 0 };
  window.session = session;
  session.arrived = ({ body }) => (wanted.length > 0 ? wanted.shift()(body) : heard.push(body));
  session.hears = async (number) => {
    const bodies = [];
    while (bodies.length < number)
      bodies.push(heard.length > 0 ? heard.shift() : await new Promise((came) => wanted.push(came)));
    return bodies;
  };
  session.receipt = (send) =>
    new Promise((came) => {
      const receipt = `r${++session.receipts}`;
      session.client.watchForReceipt(receipt, () => came());
      send({ receipt });
    });
  session.subscribes = (destination) =>
    session.receipt((headers) => session.client.subscribe(destination, session.arrived, headers));
  session.publishes = (destination, body) =>
    session.receipt((headers) => session.client.publish({ destination, body, headers }));
  return new Promise((resolve, reject) => {
    session.closed = new Promise((closed) => {
      session.refused = new Promise((refused) => {
        session.client = new StompJs.Client({
          webSocketFactory: () => {
            session.socket = new SockJS(url, null, { transports, timeout });
            return session.socket;
          },
          reconnectDelay: 0,
          heartbeatIncoming: 0,
          heartbeatOutgoing: 0,
          connectHeaders,
          onConnect: ({ headers }) => {
            session.greeting = headers;
            resolve(session.socket.transport);
          },
          onStompError: ({ headers }) => refused(headers.code),
          onWebSocketClose: ({ code, reason, wasClean }) => {
            closed([code, reason, wasClean]);
            reject(new Error(`closed: ${code} ${reason}`));
          },
        });
        session.client.activate();
      });
    });
  });
}
