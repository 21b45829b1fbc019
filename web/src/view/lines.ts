import { shortName } from '../destination.ts';
import { type Line, MAX_LINES, type Topic } from '../topics.ts';
import { make, time } from './element.ts';

/** Lines of one person this close together, in milliseconds, share one name. */
const TOGETHER = 120_000;
/** More new lines than this at once are not read out one by one. */
const READ_ALOUD = 20;
/** Near enough to the end, in pixels, to follow it. */
const NEAR_END = 80;

/** The lines of one topic. Each topic has its own log, so that changing topics reads nothing out again. */
export class Lines {
  readonly element = make('div', 'log');
  readonly #topic: Topic;
  readonly #list = make('ol', 'line-list');
  readonly #empty = make('p', 'empty');
  #drawn = 0;
  #previous: Line | undefined;
  #following = true;

  /** @param scrolled the reader moved, or lines came */
  constructor(topic: Topic, scrolled: () => void) {
    this.#topic = topic;
    this.element.setAttribute('role', 'log');
    this.element.setAttribute('aria-live', 'polite');
    this.element.setAttribute('aria-label', `Messages in ${shortName(topic.destination)}`);
    this.element.tabIndex = 0;
    this.#empty.textContent = 'Nothing has been said since you joined. Write the first message.';
    this.element.append(this.#empty, this.#list);
    this.element.addEventListener(
      'scroll',
      () => {
        this.#following = this.#distance < NEAR_END;
        scrolled();
      },
      { passive: true },
    );
  }

  /** Whether lines wait below what is seen. */
  get behind(): boolean {
    return !this.#following && this.#distance >= NEAR_END;
  }

  /** Draws what came since the last drawing. */
  draw(): void {
    const fresh = this.#topic.lines.since(this.#drawn);
    this.element.setAttribute('aria-live', fresh.length > READ_ALOUD ? 'off' : 'polite');
    this.#drawn = this.#topic.lines.total;
    this.#empty.hidden = this.#drawn > 0;
    if (fresh.length > 0) {
      this.#list.append(...fresh.map((line) => this.#drawLine(line)));
      while (this.#list.childElementCount > MAX_LINES) this.#list.firstElementChild?.remove();
    }
    if (this.#following) this.toEnd();
  }

  toEnd(): void {
    this.#following = true;
    this.element.scrollTop = this.element.scrollHeight;
  }

  get #distance(): number {
    const { scrollHeight, scrollTop, clientHeight } = this.element;
    return scrollHeight - scrollTop - clientHeight;
  }

  #drawLine(line: Line): HTMLLIElement {
    const previous = this.#previous;
    this.#previous = line;
    const { content } = line;
    if (content.kind === 'notice') {
      const notice = make('li', 'line notice');
      notice.append(make('p', '', content.text));
      return notice;
    }
    const item = make('li', `line said${line.own ? ' own' : ''}${content.kind === 'plain' ? ' plain' : ''}`);
    const name = content.kind === 'chat' ? content.from : 'Plain text';
    item.dataset.hue = String(hue(name));
    if (previous === undefined || !together(previous, line)) item.append(heading(name, line));
    else item.classList.add('more');
    const text = make('p', 'text', content.text);
    text.dir = 'auto';
    item.append(text);
    return item;
  }
}

function heading(name: string, line: Line): HTMLElement {
  const who = make('p', 'who');
  const avatar = make('span', 'avatar', [...name.trim()][0]?.toUpperCase() ?? '?');
  avatar.setAttribute('aria-hidden', 'true');
  const label = make('bdi', 'name', name);
  who.append(avatar, label);
  if (line.own) who.append(make('span', 'you', 'you'));
  who.append(time(line.at));
  return who;
}

function together(previous: Line, line: Line): boolean {
  const [a, b] = [previous.content, line.content];
  if (a.kind !== 'chat' || b.kind !== 'chat') return false;
  return a.from === b.from && previous.own === line.own && line.at - previous.at < TOGETHER;
}

/** One of eight colours, always the same for a name. */
function hue(name: string): number {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9_973;
  return sum % 8;
}
