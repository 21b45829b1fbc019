import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PROGRAM =
  process.env.SOCKJS_SERVICES_BIN ??
  join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'debug/examples/sockjs_services');
/** How long the program may take to listen, in milliseconds. */
const PATIENCE = 20_000;

/** The example `sockjs_services` in a process of its own: SockJS without STOMP. */
export class Services {
  #process;
  #ended;
  #log = '';

  static async start() {
    const services = new Services();
    try {
      await services.#spawn();
    } catch (error) {
      await services.stop();
      throw error;
    }
    return services;
  }

  async #spawn() {
    this.#process = spawn(PROGRAM, ['--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#ended = new Promise((resolve) => {
      this.#process.once('error', (error) => {
        this.#log += `${error.message}: build it with cargo build -p tidings-server --example sockjs_services\n`;
        resolve();
      });
      this.#process.once('exit', resolve);
    });
    this.#process.stderr.on('data', (bytes) => {
      this.#log += bytes;
    });
    const lines = createInterface({ input: this.#process.stdout });
    const late = setTimeout(() => this.#process.kill('SIGKILL'), PATIENCE);
    for await (const line of lines) {
      this.address = /^listening http:\/\/(\S+)/.exec(line)?.[1];
      if (this.address) break;
    }
    clearTimeout(late);
    if (!this.address) throw new Error(`${PROGRAM} did not start:\n${this.#log}`);
  }

  /** The base url of one service. */
  url(name) {
    return `http://${this.address}/${name}`;
  }

  async stop() {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }
}
