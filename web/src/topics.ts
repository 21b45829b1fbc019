import { BoundedList } from './bounded-list.ts';
import type { Content } from './chat-message.ts';
import type { Reason } from './reason.ts';

/** Each topic keeps this many newest lines. */
export const MAX_LINES = 500;
/** The page joins this many topics at once. */
export const MAX_TOPICS = 20;

/** One line of a conversation. */
export interface Line {
  at: number;
  /** Said by the person at this page. */
  own: boolean;
  content: Content | { kind: 'notice'; text: string };
}

/** Whether the server has confirmed the subscription. */
export type Membership = 'joining' | 'joined' | 'away' | 'refused';

export interface Topic {
  readonly destination: string;
  readonly lines: BoundedList<Line>;
  membership: Membership;
  refusal?: Reason;
  unread: number;
}

/** The topics on the page, in the order they were joined; one of them is open. */
export class Topics {
  readonly #byDestination = new Map<string, Topic>();
  #open: Topic | undefined;

  get all(): readonly Topic[] {
    return [...this.#byDestination.values()];
  }

  get open(): Topic | undefined {
    return this.#open;
  }

  get full(): boolean {
    return this.#byDestination.size >= MAX_TOPICS;
  }

  get unread(): number {
    return this.all.reduce((sum, topic) => sum + topic.unread, 0);
  }

  find(destination: string): Topic | undefined {
    return this.#byDestination.get(destination);
  }

  /** Adds a topic, or finds the one that is there. Nothing is added beyond {@link MAX_TOPICS}. */
  add(destination: string): Topic | undefined {
    const there = this.#byDestination.get(destination);
    if (there !== undefined || this.full) return there;
    const topic: Topic = {
      destination,
      lines: new BoundedList<Line>(MAX_LINES),
      membership: 'away',
      unread: 0,
    };
    this.#byDestination.set(destination, topic);
    this.#open ??= topic;
    return topic;
  }

  /** Takes a topic away; its neighbour opens if it was the open one. */
  remove(destination: string): void {
    const before = this.all;
    const place = before.findIndex((topic) => topic.destination === destination);
    if (place < 0) return;
    this.#byDestination.delete(destination);
    if (this.#open === before[place]) this.show(before[place + 1] ?? before[place - 1]);
  }

  show(topic: Topic | undefined): void {
    this.#open = topic;
    if (topic !== undefined) topic.unread = 0;
  }

  /** Adds a line; it counts as unread unless somebody is looking at it. */
  addLine(topic: Topic, line: Line, looking: boolean): void {
    topic.lines.push(line);
    const seen = line.own || line.content.kind === 'notice' || (looking && topic === this.#open);
    if (!seen) topic.unread += 1;
  }
}
