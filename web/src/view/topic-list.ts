import { readTopic, shortName } from '../destination.ts';
import { MAX_TOPICS, type Topic, type Topics } from '../topics.ts';
import { find, make, say } from './element.ts';

/** The list of joined topics, their unread badges, and the form that joins another. */
export class TopicList {
  readonly #topics: Topics;
  readonly #list = find('topic-list', HTMLUListElement);
  readonly #form = find('join', HTMLFormElement);
  readonly #opener = find('join-opener', HTMLButtonElement);
  readonly #name = find('join-name', HTMLInputElement);
  readonly #problem = find('join-problem', HTMLElement);
  readonly #show: (topic: Topic) => void;
  #layout = '';
  readonly #rows = new Map<string, { row: HTMLElement; button: HTMLButtonElement; badge: HTMLElement }>();

  /**
   * @param show a topic was chosen
   * @param join a new topic was named
   */
  constructor(topics: Topics, show: (topic: Topic) => void, join: (destination: string) => void) {
    this.#topics = topics;
    this.#show = show;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      const checked = readTopic(this.#name.value);
      const problem = checked.ok ? this.#inTheWay(checked.destination) : checked.problem;
      this.#complain(problem);
      if (!checked.ok || problem !== '') return;
      this.#name.value = '';
      this.#unfold(false);
      join(checked.destination);
    });
    this.#name.addEventListener('input', () => this.#complain(''));
    this.#opener.addEventListener('click', () => this.#unfold(this.#form.dataset.open === undefined));
    this.#form.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || this.#form.dataset.open === undefined) return;
      event.preventDefault();
      this.#unfold(false);
      this.#opener.focus();
    });
  }

  /** On a narrow screen the form unfolds when it is wanted; on a wide one it is always there. */
  #unfold(open: boolean): void {
    if (open) this.#form.dataset.open = '';
    else delete this.#form.dataset.open;
    this.#opener.setAttribute('aria-expanded', String(open));
    if (open) this.#name.focus();
  }

  /** @param looking whether the conversations are what is seen */
  draw(looking: boolean): void {
    const there = new Set(this.#topics.all.map(({ destination }) => destination));
    for (const [destination, { row }] of this.#rows) {
      if (there.has(destination)) continue;
      row.remove();
      this.#rows.delete(destination);
    }
    for (const topic of this.#topics.all) this.#drawRow(topic, looking && topic === this.#topics.open);
    this.#keepInSight();
  }

  #inTheWay(destination: string): string {
    const fits = !this.#topics.full || this.#topics.find(destination) !== undefined;
    return fits ? '' : `At most ${MAX_TOPICS} topics at once: leave one first.`;
  }

  /** Scrolls to the open topic when it changes, and when a badge beside it moves it. */
  #keepInSight(): void {
    const open = this.#topics.open?.destination ?? '';
    const layout = [
      open,
      ...this.#topics.all.map(({ unread }) => String(unread).length * Math.sign(unread)),
    ].join();
    if (layout === this.#layout) return;
    this.#layout = layout;
    this.#rows.get(open)?.row.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }

  #drawRow(topic: Topic, open: boolean): void {
    const { row, button, badge } = this.#rows.get(topic.destination) ?? this.#makeRow(topic);
    row.dataset.membership = topic.membership;
    if (open) button.setAttribute('aria-current', 'true');
    else button.removeAttribute('aria-current');
    badge.hidden = topic.unread === 0;
    say(badge, topic.unread > 99 ? '99+' : String(topic.unread));
    button.setAttribute('aria-label', rowLabel(topic));
  }

  #makeRow(topic: Topic) {
    const row = make('li');
    const button = make('button', 'topic');
    const badge = make('span', 'badge');
    button.type = 'button';
    button.title = topic.destination;
    button.append(make('span', 'topic-name', shortName(topic.destination)), badge);
    button.addEventListener('click', () => this.#show(topic));
    row.append(button);
    this.#list.append(row);
    const made = { row, button, badge };
    this.#rows.set(topic.destination, made);
    return made;
  }

  #complain(problem: string): void {
    say(this.#problem, problem);
    if (problem === '') this.#name.removeAttribute('aria-invalid');
    else this.#name.setAttribute('aria-invalid', 'true');
  }
}

function rowLabel(topic: Topic): string {
  const unread = topic.unread === 0 ? '' : `, ${topic.unread} unread`;
  return `${shortName(topic.destination)}${unread}${topic.membership === 'refused' ? ', refused' : ''}`;
}
