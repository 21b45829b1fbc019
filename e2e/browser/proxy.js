import { request as ask, createServer } from 'node:http';

/** What a proxy does with a request to become a WebSocket. */
export const BLOCKS = {
  /** It answers 403. */
  refuse: (socket) => socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'),
  /** It never answers. */
  swallow: () => {},
  /** It cuts the connection. */
  drop: (socket) => socket.destroy(),
  /** It takes the upgrade out of the request, as one that only knows HTTP/1.0 does, and passes on the rest. */
  strip: undefined,
};

/**
 * An HTTP proxy that lets no WebSocket through.
 *
 * It stands before one server, under an address of its own; a browser that was told to send all through it may use it
 * too, with whole addresses in its requests.
 */
export class HttpProxy {
  #server;
  #target;
  #buffering;
  #sockets = new Set();
  /** The paths that came, in their order, without queries. */
  passed = [];

  /**
   * @param target host and port of the server
   * @param block one of {@link BLOCKS}
   * @param buffering holds each response back until it is whole
   */
  static async open(target, { block, buffering = false }) {
    const proxy = new HttpProxy();
    proxy.#target = target;
    proxy.#buffering = buffering;
    proxy.#server = createServer((request, response) => proxy.#pass(request, response));
    proxy.#server.on('connection', (socket) => proxy.#sockets.add(socket));
    const cut = (_, socket) => {
      // Chromium resets a connection on which it gave up.
      socket.on('error', () => {});
      block(socket);
    };
    if (block) proxy.#server.on('upgrade', cut).on('connect', cut);
    await new Promise((ready) => proxy.#server.listen(0, '127.0.0.1', ready));
    return proxy;
  }

  get address() {
    return `127.0.0.1:${this.#server.address().port}`;
  }

  #pass(request, response) {
    const [hostname, port] = this.#target.split(':');
    const { upgrade, connection, ...headers } = request.headers;
    const path = request.url.replace(/^http:\/\/[^/]*/, '');
    this.passed.push(path.replace(/\?.*/, ''));
    const onward = ask({ hostname, port, path, method: request.method, headers }, (answer) => {
      if (this.#buffering) return hold(answer, response);
      response.writeHead(answer.statusCode, endToEnd(answer.headers));
      response.flushHeaders();
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  }

  async close() {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }
}

async function hold(answer, response) {
  const whole = [];
  try {
    for await (const bytes of answer) whole.push(bytes);
  } catch {
    response.destroy();
    return;
  }
  const { 'transfer-encoding': _, ...headers } = endToEnd(answer.headers);
  response.writeHead(answer.statusCode, headers).end(Buffer.concat(whole));
}

/** Without those that speak of one connection alone. */
function endToEnd({ connection, 'keep-alive': _, ...headers }) {
  return headers;
}
