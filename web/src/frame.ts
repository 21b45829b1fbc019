import { Parser } from '@stomp/stompjs';
import { shorten } from './chat-message.ts';

/** The log keeps this much of a body, in characters. */
export const MAX_BODY_SHOWN = 8_000;

/** A frame as it travelled: headers in wire order, still escaped, but for tokens, which are cut short. */
export interface Frame {
  command: string;
  headers: readonly (readonly [string, string])[];
  body: string;
}

/** Cuts one direction of a connection into frames and heart-beats, for the log. */
export class FrameReader {
  readonly #parser: Parser;
  readonly #text = new TextDecoder();

  constructor(onFrame: (frame: Frame) => void, onHeartBeat: () => void) {
    this.#parser = new Parser((raw) => {
      const body = this.#text.decode(raw.binaryBody ?? new Uint8Array());
      onFrame({
        command: raw.command ?? '',
        headers: raw.headers.map(([name, value]) => [name, withoutSecret(name, value)] as const),
        body: shorten(body, MAX_BODY_SHOWN),
      });
    }, onHeartBeat);
  }

  read(data: string | ArrayBuffer): void {
    // The LF that may follow a frame's NUL would count as a heart-beat; after a frame it is just its end.
    this.#parser.parseChunk(typeof data === 'string' ? data.replace(/\0\r?\n$/, '\0') : data);
  }
}

/** Who copies the log must not hand a token on with it: its beginning tells which it is. */
function withoutSecret(name: string, value: string): string {
  if (name.toLowerCase() !== 'authorization') return value;
  return value.replace(/^(\S+ .{8}).+$/, '$1…');
}

export function header(frame: Frame, name: string): string | undefined {
  return frame.headers.find(([key]) => key === name)?.[1];
}

/** The one thing a reader of the log wants to know of a frame. */
export function gist(frame: Frame): string {
  const names = GIST[frame.command] ?? ['destination', 'receipt-id', 'id'];
  for (const name of names) {
    const value = header(frame, name);
    if (value !== undefined) return value;
  }
  return '';
}

/** The frame as text: command, headers, an empty line, the body. */
export function frameText(frame: Frame): string {
  const head = [frame.command, ...frame.headers.map(([name, value]) => `${name}:${value}`)].join('\n');
  return `${head}\n\n${frame.body}`.trimEnd();
}

const GIST: Readonly<Record<string, readonly string[]>> = {
  CONNECT: ['login'],
  CONNECTED: ['version'],
  ERROR: ['code', 'message'],
  UNSUBSCRIBE: ['id'],
};
