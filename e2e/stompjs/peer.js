import { Client } from '@stomp/stompjs';
import WebSocket from 'ws';

/** How long an answer may take, in milliseconds. */
const PATIENCE = 20_000;
let count = 0;

/** Someone at the other end of a stompjs client, as an application would use it. */
export class Peer {
  #broken = deferred();

  /** The ERROR frame, when one comes. */
  error = deferred();
  /** The event that ended the WebSocket. */
  closed = deferred();

  /**
   * @param socket options of the WebSocket
   * @param onConnect is given the client each time it is connected
   * @param options of the stompjs client
   */
  static async connect(server, { socket = {}, onConnect, ...options } = {}) {
    const peer = new Peer();
    const connected = deferred();
    peer.client = new Client({
      webSocketFactory: () => {
        peer.socket = new WebSocket(server.url, ['v12.stomp', 'v11.stomp', 'v10.stomp'], socket);
        return peer.socket;
      },
      reconnectDelay: 0,
      heartbeatIncoming: 0,
      heartbeatOutgoing: 0,
      onConnect: (frame) => {
        connected.resolve(frame);
        onConnect?.(peer.client);
      },
      onStompError: (frame) => {
        peer.error.resolve(frame);
        peer.#broken.reject(new Error(`${frame.headers.code}: ${frame.headers.message}: ${frame.body}`));
      },
      onWebSocketClose: (event) => {
        peer.closed.resolve(event);
        peer.#broken.reject(new Error(`closed: ${event.code} ${event.reason}`));
      },
      ...options,
    });
    // Whoever waits hears of it; when nobody does it is no fault.
    peer.#broken.promise.catch(() => {});
    peer.client.activate();
    peer.greeting = await peer.#answer(connected.promise, 'CONNECTED');
    return peer;
  }

  /** Subscribes, and waits for the receipt. */
  async subscribe(destination, headers = {}) {
    const messages = new Messages((promise, what) => this.#answer(promise, what));
    const receipt = this.receipt();
    messages.subscription = this.client.subscribe(destination, (message) => messages.arrived(message), {
      ...headers,
      receipt: receipt.id,
    });
    await receipt;
    return messages;
  }

  /** Publishes, and waits for the receipt. */
  async publish(destination, body, { headers = {}, ...rest } = {}) {
    const receipt = this.receipt();
    const content = typeof body === 'string' ? { body } : { binaryBody: body };
    this.client.publish({ destination, ...content, ...rest, headers: { ...headers, receipt: receipt.id } });
    return receipt;
  }

  /** A promise of a RECEIPT; its `id` goes into the frame. */
  receipt() {
    const id = `receipt-${++count}`;
    const came = deferred();
    this.client.watchForReceipt(id, came.resolve);
    return Object.assign(this.#answer(came.promise, `RECEIPT ${id}`), { id });
  }

  /** Says DISCONNECT, and waits for the end of the WebSocket. */
  async leave() {
    await this.client.deactivate();
    return this.closed.promise;
  }

  #answer(promise, what) {
    return within(Promise.race([promise, this.#broken.promise]), what);
  }
}

/** The messages of one subscription, in the order in which they came. */
export class Messages {
  #waiting = [];
  #wanted = [];
  #answer;

  constructor(answer) {
    this.#answer = answer;
  }

  arrived(message) {
    const taker = this.#wanted.shift();
    if (taker) taker(message);
    else this.#waiting.push(message);
  }

  /** The next message, now or when it comes. */
  next() {
    if (this.#waiting.length > 0) return Promise.resolve(this.#waiting.shift());
    return this.#answer(new Promise((resolve) => this.#wanted.push(resolve)), 'MESSAGE');
  }

  async bodies(number) {
    const bodies = [];
    for (let i = 0; i < number; i++) bodies.push((await this.next()).body);
    return bodies;
  }

  /** How many came that nobody has taken. */
  get left() {
    return this.#waiting.length;
  }
}

/** The promise, or a failure that says what did not come in time. */
export function within(promise, what) {
  let late;
  const deadline = new Promise((_, reject) => {
    late = setTimeout(() => reject(new Error(`no ${what} within ${PATIENCE} ms`)), PATIENCE);
  });
  return Promise.race([promise, deadline]).finally(() => clearTimeout(late));
}

/** A promise with its two ends. */
export function deferred() {
  const end = {};
  end.promise = new Promise((resolve, reject) => Object.assign(end, { resolve, reject }));
  return end;
}
