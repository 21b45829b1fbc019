import { frameText, gist } from '../frame.ts';
import { beatsText, type FrameLog, type LogEntry, MAX_ENTRIES, timesText } from '../frame-log.ts';
import { copyText } from './clipboard.ts';
import { find, gathered, make, say, time } from './element.ts';

const NEAR_END = 40;

/** The pane that shows the frames as they cross the connection. */
export class FrameList {
  readonly #log: FrameLog;
  readonly #pane = find('frames', HTMLElement);
  readonly #scroll = find('frame-scroll', HTMLElement);
  readonly #list = find('frame-list', HTMLOListElement);
  readonly #empty = find('frames-empty', HTMLElement);
  readonly #count = find('frames-count', HTMLElement);
  readonly #pause = find('pause', HTMLButtonElement);
  readonly #said = find('frames-said', HTMLElement);
  #drawn = 0;
  #paused = false;
  /** Writes the newest line anew: it may have grown. */
  #refresh: () => void = () => {};
  /** Draws before the next picture. */
  readonly ask = gathered(() => this.#draw());

  constructor(log: FrameLog) {
    this.#log = log;
    log.onChange(this.ask);
    this.#pause.addEventListener('click', () => this.#setPaused(!this.#paused));
    find('clear', HTMLButtonElement).addEventListener('click', () => this.#clear());
    find('copy', HTMLButtonElement).addEventListener('click', () => void this.#copy());
    const beats = find('show-beats', HTMLInputElement);
    beats.addEventListener('change', () => this.#list.classList.toggle('no-beats', !beats.checked));
  }

  #draw(): void {
    if (this.#pane.hidden) return;
    const waiting = this.#log.total - this.#drawn;
    say(this.#count, this.#paused && waiting > 0 ? `paused, ${waiting} more` : `${this.#log.entries.length}`);
    if (this.#paused) return;
    const { scrollHeight, scrollTop, clientHeight } = this.#scroll;
    const following = scrollHeight - scrollTop - clientHeight < NEAR_END;
    this.#refresh();
    this.#list.append(...this.#log.since(this.#drawn).map((entry) => this.#row(entry)));
    this.#drawn = this.#log.total;
    while (this.#list.childElementCount > MAX_ENTRIES) this.#list.firstElementChild?.remove();
    this.#empty.hidden = this.#list.childElementCount > 0;
    if (following) this.#scroll.scrollTop = this.#scroll.scrollHeight;
  }

  #row(entry: LogEntry): HTMLLIElement {
    this.#refresh = () => {};
    const row = make('li', `frame ${entry.kind}`);
    if (entry.kind === 'frame') {
      row.dataset.direction = entry.direction;
      const { details, refresh } = frameDetails(entry);
      row.append(details);
      this.#refresh = refresh;
      return row;
    }
    const text = make('span', 'gist', entry.kind === 'note' ? entry.text : beatsText(entry));
    if (entry.kind === 'heart-beat') {
      row.append(make('span', 'arrow', '♥'), make('span', 'command', 'Heart-beats'), text);
      this.#refresh = () => say(text, beatsText(entry));
    } else row.append(make('span', 'arrow', '·'), text);
    row.append(time(entry.at, true));
    return row;
  }

  #setPaused(paused: boolean): void {
    this.#paused = paused;
    this.#pause.setAttribute('aria-pressed', String(paused));
    this.#pause.textContent = paused ? 'Resume' : 'Pause';
    this.ask();
  }

  #clear(): void {
    this.#list.replaceChildren();
    this.#refresh = () => {};
    this.#drawn = this.#log.total;
    this.#log.clear();
    say(this.#said, 'Frames cleared');
  }

  async #copy(): Promise<void> {
    const copied = await copyText(this.#log.text());
    say(this.#said, '');
    say(this.#said, copied ? `Copied ${this.#log.entries.length} frames` : 'The browser refused to copy');
    const button = find('copy', HTMLButtonElement);
    button.dataset.done = copied ? 'Copied' : 'Refused';
    setTimeout(() => delete button.dataset.done, 1_500);
  }
}

function frameDetails(entry: LogEntry & { kind: 'frame' }) {
  const details = make('details');
  const summary = make('summary');
  const direction = entry.direction === 'out' ? 'sent' : 'received';
  const arrow = make('span', 'arrow', entry.direction === 'out' ? '↑' : '↓');
  arrow.setAttribute('aria-hidden', 'true');
  const about = make('span', 'gist');
  const at = make('span');
  const refresh = () => {
    say(about, `${gist(entry.frame)}${timesText(entry)}`);
    at.replaceChildren(time(entry.at, true));
  };
  refresh();
  summary.append(
    arrow,
    make('span', 'visually-hidden', direction),
    make('span', 'command', entry.frame.command),
    about,
    at,
  );
  details.append(summary);
  // Most frames are never opened: their text is made when they are.
  details.addEventListener(
    'toggle',
    () => {
      details.append(make('pre', 'wire', frameText(entry.frame)));
      details.scrollIntoView({ block: 'nearest' });
    },
    { once: true },
  );
  return { details, refresh };
}
