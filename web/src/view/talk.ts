import { shortName } from '../destination.ts';
import { sentence } from '../reason.ts';
import type { Topic, Topics } from '../topics.ts';
import { find, gathered, say } from './element.ts';
import { Lines } from './lines.ts';

/** The open conversation: its head and its lines. */
export class Talk {
  readonly #topics: Topics;
  readonly #title = find('talk-title', HTMLElement);
  readonly #state = find('talk-state', HTMLElement);
  readonly #place = find('lines', HTMLElement);
  readonly #newest = find('newest', HTMLButtonElement);
  readonly #lines = new Map<string, Lines>();
  /** Draws before the next picture. */
  readonly ask = gathered(() => this.#draw());

  constructor(topics: Topics, leave: (topic: Topic) => void) {
    this.#topics = topics;
    find('leave', HTMLButtonElement).addEventListener('click', () => {
      if (topics.open !== undefined) leave(topics.open);
    });
    this.#newest.addEventListener('click', () => {
      this.#open?.toEnd();
      this.#drawNewest();
    });
    // The keyboard of a phone, a turned screen, a longer draft: the end stays in sight.
    new ResizeObserver(() => this.ask()).observe(this.#place);
  }

  get #open(): Lines | undefined {
    const topic = this.#topics.open;
    return topic && this.#lines.get(topic.destination);
  }

  #draw(): void {
    const topic = this.#topics.open;
    this.#drop();
    say(this.#title, topic === undefined ? 'No topic' : shortName(topic.destination));
    say(this.#state, topic === undefined ? 'Join one to talk.' : stateText(topic));
    this.#title.title = topic?.destination ?? '';
    find('leave', HTMLButtonElement).hidden = topic === undefined;
    if (topic !== undefined) this.#linesOf(topic);
    for (const [destination, { element }] of this.#lines) element.hidden = destination !== topic?.destination;
    // A hidden log is drawn when it is shown: what nobody sees costs nothing.
    this.#open?.draw();
    this.#drawNewest();
  }

  #linesOf(topic: Topic): void {
    if (this.#lines.has(topic.destination)) return;
    const lines = new Lines(topic, () => this.#drawNewest());
    this.#lines.set(topic.destination, lines);
    this.#place.append(lines.element);
  }

  #drop(): void {
    for (const [destination, { element }] of this.#lines) {
      if (this.#topics.find(destination) !== undefined) continue;
      element.remove();
      this.#lines.delete(destination);
    }
  }

  #drawNewest(): void {
    this.#newest.hidden = !(this.#open?.behind ?? false);
  }
}

function stateText(topic: Topic): string {
  switch (topic.membership) {
    case 'joined':
      return topic.destination;
    case 'joining':
      return `${topic.destination} · joining…`;
    case 'away':
      return `${topic.destination} · away`;
    case 'refused':
      return `Refused. ${topic.refusal === undefined ? '' : sentence(topic.refusal)}`;
  }
}
