import { settings } from '../settings.ts';
import { find, say } from './element.ts';

/** The first thing people see: a name and a button. */
export class ConnectForm {
  readonly #name = find('name', HTMLInputElement);
  readonly #problem = find('name-problem', HTMLElement);

  constructor(connect: (name: string) => void) {
    this.#name.value = settings.get('name') ?? '';
    find('connect', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      const name = this.#name.value.trim().replace(/\s+/g, ' ');
      say(this.#problem, name === '' ? 'Choose a name first.' : '');
      if (name === '') {
        this.#name.setAttribute('aria-invalid', 'true');
        this.#name.focus();
        return;
      }
      this.#name.removeAttribute('aria-invalid');
      settings.set('name', name);
      connect(name);
    });
  }

  focus(): void {
    this.#name.focus();
  }
}
