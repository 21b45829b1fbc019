import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUILT = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'debug');
const PROGRAM = process.env.TIDINGS_BIN ?? join(BUILT, 'tidings');
/** The example of crates/tidings whose handlers show each thing that one can do. */
export const SHOWCASE = process.env.SHOWCASE_BIN ?? join(BUILT, 'examples/handlers_showcase');
/** How long the program may take to listen, and to end, in milliseconds. */
const PATIENCE = 20_000;

/** The real program in a process of its own. */
export class Server {
  #process;
  #folder;
  #log = '';

  /**
   * In development mode, or as `config` (TOML) says.
   *
   * @param listen where WebSocket is served; the other listeners always take free ports
   * @param program another one that takes the same flags
   * @param env what its environment has besides
   */
  static async start({ config, listen = '127.0.0.1:0', program = PROGRAM, env = {} } = {}) {
    const server = new Server();
    const flags = ['--listen', listen, '--tcp', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
    if (config !== undefined) {
      server.#folder = await mkdtemp(join(tmpdir(), 'tidings-e2e-'));
      const file = join(server.#folder, 'tidings.toml');
      await writeFile(file, config);
      flags.unshift('serve', '--config', file);
    }
    try {
      await server.#spawn(program, flags, env);
    } catch (error) {
      await server.stop('SIGKILL');
      throw error;
    }
    return server;
  }

  async #spawn(program, flags, env) {
    const options = { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } };
    this.#process = spawn(program, flags, options);
    this.exited = new Promise((resolve) => {
      this.#process.once('error', (error) => {
        this.#log += `${error.message}: build it as e2e/README.md says\n`;
        resolve(undefined);
      });
      this.#process.once('exit', resolve);
    });
    this.#process.stderr.on('data', (bytes) => {
      this.#log += bytes;
    });
    const lines = createInterface({ input: this.#process.stdout });
    const late = setTimeout(() => this.#process.kill('SIGKILL'), PATIENCE);
    for await (const line of lines) {
      const [, url, what] = line.match(/^listening (\S+) \((\w+)/);
      if (what === 'HTTP') this.address = new URL(url).host;
      // Printed last; all listeners are ready then.
      if (what === 'admin') {
        this.admin = url;
        break;
      }
    }
    clearTimeout(late);
    if (!this.admin) throw new Error(`${program} did not start:\n${this.#log}`);
  }

  get url() {
    return `ws://${this.address}/ws`;
  }

  /** Asks the program to end, without waiting. */
  signal(name) {
    this.#process.kill(name);
  }

  /** Ends the program; answers with its exit code, null if a signal killed it. */
  async stop(signal = 'SIGTERM') {
    this.#process.kill(signal);
    const late = setTimeout(() => this.#process.kill('SIGKILL'), PATIENCE);
    const code = await this.exited;
    clearTimeout(late);
    if (this.#folder) await rm(this.#folder, { recursive: true, force: true });
    return code;
  }
}
