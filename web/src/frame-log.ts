import { BoundedList } from './bounded-list.ts';
import { type Frame, frameText, header } from './frame.ts';
import { PRICE } from './ticker.ts';

/** The log keeps this many newest entries. */
export const MAX_ENTRIES = 400;

export type Direction = 'out' | 'in';

/** One line of the log. Heart-beats that follow each other share a line, and so do prices: `times` counts them. */
export type LogEntry =
  | { kind: 'frame'; at: number; direction: Direction; frame: Frame; times: number }
  | { kind: 'heart-beat'; at: number; sent: number; received: number }
  | { kind: 'note'; at: number; text: string };

/** What crossed the connection, newest last, bounded. */
export class FrameLog {
  readonly #entries = new BoundedList<LogEntry>(MAX_ENTRIES);
  #changed: () => void = () => {};

  /** Called after each change; a view gathers changes itself. */
  onChange(changed: () => void): void {
    this.#changed = changed;
  }

  frame(direction: Direction, frame: Frame, at: number): void {
    const last = this.#entries.last;
    if (last?.kind === 'frame' && isPrice(last.frame) && isPrice(frame)) {
      Object.assign(last, { at, frame, times: last.times + 1 });
      this.#changed();
    } else this.#push({ kind: 'frame', at, direction, frame, times: 1 });
  }

  heartBeat(direction: Direction, at: number): void {
    const last = this.#entries.last;
    const beats: LogEntry =
      last?.kind === 'heart-beat' ? last : { kind: 'heart-beat', at, sent: 0, received: 0 };
    beats.at = at;
    if (direction === 'out') beats.sent += 1;
    else beats.received += 1;
    if (beats === last) this.#changed();
    else this.#push(beats);
  }

  /** Something that is no frame but explains the next ones: opened, closed. */
  note(text: string, at: number): void {
    this.#push({ kind: 'note', at, text });
  }

  clear(): void {
    this.#entries.clear();
    this.#changed();
  }

  get total(): number {
    return this.#entries.total;
  }

  get entries(): readonly LogEntry[] {
    return this.#entries.items;
  }

  since(seen: number): readonly LogEntry[] {
    return this.#entries.since(seen);
  }

  /** The whole log as text, for the clipboard. */
  text(): string {
    return this.entries.map(entryText).join('\n\n');
  }

  #push(entry: LogEntry): void {
    this.#entries.push(entry);
    this.#changed();
  }
}

/** Prices come all the time; each on a line of its own would leave nothing else to see. */
function isPrice(frame: Frame): boolean {
  return frame.command === 'MESSAGE' && (header(frame, 'destination') ?? '').startsWith(PRICE);
}

/** `♥ 3 sent, 4 received` without the heart. */
export function beatsText(entry: { sent: number; received: number }): string {
  const parts = [];
  if (entry.sent > 0) parts.push(`${entry.sent} sent`);
  if (entry.received > 0) parts.push(`${entry.received} received`);
  return parts.join(', ');
}

/** ` ×3`, where several frames share a line. */
export function timesText(entry: { times: number }): string {
  return entry.times === 1 ? '' : ` ×${entry.times}`;
}

function entryText(entry: LogEntry): string {
  const time = new Date(entry.at).toISOString();
  switch (entry.kind) {
    case 'frame':
      return `${entry.direction === 'out' ? '>>>' : '<<<'} ${time}${timesText(entry)}\n${frameText(entry.frame)}`;
    case 'heart-beat':
      return `--- ${time} heart-beats: ${beatsText(entry)}`;
    case 'note':
      return `--- ${time} ${entry.text}`;
  }
}
