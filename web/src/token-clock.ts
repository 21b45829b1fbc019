/** How long before its end a token is renewed at the latest, in milliseconds. */
export const MARGIN = 15_000;
/** How often the time that is left is told, in milliseconds. */
const TICK = 250;

interface Outside {
  /** Milliseconds, never going back. */
  now: () => number;
  /** It is time for the next token. */
  renew: () => void;
  /** So many milliseconds are left; nothing where there is no end. */
  left: (milliseconds: number | undefined) => void;
}

/** Counts down to the end of what proves a session, and asks for a renewal in time. */
export class TokenClock {
  readonly #outside: Outside;
  #end = 0;
  #margin = 0;
  #asked = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(outside: Outside) {
    this.#outside = outside;
  }

  /** @param left what the header `session-expires-in` says, in milliseconds */
  start(left: number | undefined): void {
    this.stop();
    if (left === undefined) return;
    this.#end = this.#outside.now() + left;
    // A session that is short from the start has most of it before its renewal, too.
    this.#margin = Math.min(MARGIN, left / 2);
    this.#asked = false;
    this.#timer = setInterval(() => this.#tick(), TICK);
    this.#tick();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#outside.left(undefined);
  }

  #tick(): void {
    const left = Math.max(0, this.#end - this.#outside.now());
    this.#outside.left(left);
    if (this.#asked || left > this.#margin) return;
    this.#asked = true;
    this.#outside.renew();
  }
}

/** Reads the header `session-expires-in`. */
export function expiresIn(headers: Readonly<Record<string, string>>): number | undefined {
  const text = headers['session-expires-in'];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** `4:05`, `1:00:00`. */
export function countdown(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1_000);
  const [h, m, s] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
