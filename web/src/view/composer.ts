import { find, say } from './element.ts';

/** Where messages are written. Enter sends, Shift+Enter begins a new line. */
export class Composer {
  readonly #form = find('composer', HTMLFormElement);
  readonly #text = find('text', HTMLTextAreaElement);
  readonly #send = find('send', HTMLButtonElement);
  readonly #problem = find('composer-problem', HTMLElement);

  /** @param send gives the text away; answers with what is in the way, or nothing */
  constructor(send: (text: string) => string | undefined) {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      const text = this.#text.value.trim();
      if (text === '') return;
      const problem = send(text);
      say(this.#problem, problem ?? '');
      if (problem === undefined) this.#text.value = '';
      this.#text.focus();
    });
    this.#text.addEventListener('keydown', (event) => {
      // While a character is being composed, Enter belongs to the input method.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#form.requestSubmit();
    });
  }

  /** Whether a message could leave now. The field stays open: people may write while the page reconnects. */
  ready(ready: boolean): void {
    this.#send.setAttribute('aria-disabled', String(!ready));
    if (ready) say(this.#problem, '');
  }

  focus(): void {
    this.#text.focus();
  }
}
