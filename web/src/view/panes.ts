import { find } from './element.ts';

const NARROW = matchMedia('(max-width: 899px)');
const WIDE = matchMedia('(min-width: 1200px)');

interface Pane {
  pane: HTMLElement;
  opener: HTMLButtonElement;
  title: HTMLElement;
}

/**
 * The panes beside the conversation; at most one is open. On a narrow screen an open pane covers the conversation,
 * which is inert behind it.
 */
export class Panes {
  readonly #panes: readonly Pane[] = ['frames', 'help'].map((name) => ({
    pane: find(name, HTMLElement),
    opener: find(`show-${name}`, HTMLButtonElement),
    title: find(`${name}-title`, HTMLElement),
  }));
  // What main holds and not main itself: a page always has its main landmark.
  readonly #behind = ['topics', 'welcome', 'banner', 'proof', 'talk', 'ticker'].map((id) =>
    find(id, HTMLElement),
  );
  readonly #changed: () => void;

  /** @param changed called when a pane was shown or hidden */
  constructor(changed: () => void) {
    this.#changed = changed;
    for (const pane of this.#panes) {
      pane.opener.addEventListener('click', () => this.#toggle(pane));
      pane.pane.querySelector('[data-close]')?.addEventListener('click', () => this.#close(pane));
    }
    document.addEventListener('keydown', (event) => {
      const open = this.#open;
      if (event.key === 'Escape' && open !== undefined && !event.defaultPrevented) this.#close(open);
    });
    NARROW.addEventListener('change', () => this.#settle());
    if (WIDE.matches) this.#show(this.#panes[0]);
  }

  get #open(): Pane | undefined {
    return this.#panes.find(({ pane }) => !pane.hidden);
  }

  #toggle(pane: Pane): void {
    if (pane.pane.hidden) {
      this.#show(pane);
      pane.title.focus();
    } else this.#close(pane);
  }

  #close(pane: Pane): void {
    this.#show(undefined);
    pane.opener.focus();
  }

  #show(shown: Pane | undefined): void {
    for (const pane of this.#panes) {
      pane.pane.hidden = pane !== shown;
      pane.opener.setAttribute('aria-expanded', String(pane === shown));
    }
    this.#settle();
    this.#changed();
  }

  #settle(): void {
    for (const element of this.#behind) element.inert = NARROW.matches && this.#open !== undefined;
  }
}
