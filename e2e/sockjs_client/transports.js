import assert from 'node:assert/strict';
import SockJS from 'sockjs-client';
import { deferred, Messages, Peer, within } from '../stompjs/peer.js';

/** Those that sockjs-client has under Node. */
export const TRANSPORTS = ['websocket', 'xhr-streaming', 'eventsource', 'xhr-polling'];

/**
 * How long a transport may take to open, in milliseconds. By itself the client gives it twice 300 ms and the round trip,
 * and a busy machine would look like a transport that does not work.
 */
const PATIENCE = 20_000;

/** A SockJS connection over `transports`: one name, a list, or undefined for all. */
export function connection(url, transports) {
  return new SockJS(url, null, { transports, timeout: PATIENCE });
}

/** Someone at the other end of a SockJS connection that carries plain messages. */
export class Speaker {
  /** The event that ended the connection. */
  closed = deferred();
  #messages;

  static async open(url, transports) {
    const speaker = new Speaker();
    const opened = deferred();
    const broken = deferred();
    // Whoever waits hears of it; when nobody does it is no fault.
    broken.promise.catch(() => {});
    const answer = (promise, what) => within(Promise.race([promise, broken.promise]), what);
    speaker.#messages = new Messages(answer);
    speaker.socket = connection(url, transports);
    speaker.socket.onopen = opened.resolve;
    speaker.socket.onmessage = ({ data }) => speaker.#messages.arrived(data);
    speaker.socket.onclose = (event) => {
      speaker.closed.resolve(event);
      broken.reject(new Error(`closed: ${event.code} ${event.reason}`));
    };
    await answer(opened.promise, 'open');
    return speaker;
  }

  send(...messages) {
    for (const message of messages) this.socket.send(message);
  }

  /** The next `number` messages. */
  async hears(number) {
    const heard = [];
    for (let i = 0; i < number; i++) heard.push(await this.#messages.next());
    return heard;
  }

  /** How many came that nobody has taken. */
  get left() {
    return this.#messages.left;
  }

  async leave() {
    this.socket.close();
    return within(this.closed.promise, 'close');
  }
}

/** The stompjs peer of {@link Peer} over one SockJS transport. `sockets` holds each connection that it made. */
export async function connect(server, transport, options = {}) {
  const sockets = [];
  const peer = await Peer.connect(server, {
    webSocketFactory: () => {
      sockets.push(connection(`http://${server.address}/ws`, transport));
      return sockets.at(-1);
    },
    ...options,
  });
  assert.equal(sockets[0].transport, transport);
  return Object.assign(peer, { socket: sockets[0], sockets });
}
