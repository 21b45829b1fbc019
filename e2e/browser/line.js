/**
 * The line between a page and its server, which a test can cut and mend.
 *
 * While it is cut, what is open closes with `code` and nothing new gets through.
 */
export class Line {
  #open = new Set();
  #cut;
  /** Every text that the page sent. */
  sent = [];

  /** Puts the line in place; to be called before the page loads. */
  async lay(page, pattern) {
    await page.routeWebSocket(pattern, (socket) => {
      if (this.#cut !== undefined) {
        socket.close({ code: this.#cut, reason: 'the node stops' });
        return;
      }
      const server = socket.connectToServer();
      this.#open.add(socket);
      socket.onMessage((data) => {
        this.sent.push(String(data));
        server.send(data);
      });
      socket.onClose((code, reason) => {
        this.#open.delete(socket);
        server.close({ code, reason });
      });
    });
  }

  cut(code = 1012) {
    this.#cut = code;
    for (const socket of this.#open) socket.close({ code, reason: 'the node stops' });
    this.#open.clear();
  }

  mend() {
    this.#cut = undefined;
  }

  /** Says something to the page in the server's name. */
  toPage(data) {
    for (const socket of this.#open) socket.send(data);
  }

  /** The subscription id under which the page asked for `destination`. */
  subscription(destination) {
    const frame = this.sent.findLast(
      (text) => text.startsWith('SUBSCRIBE') && text.includes(`destination:${destination}\n`),
    );
    return /\nid:(.*)\n/.exec(frame)[1];
  }
}
