import { settings } from '../settings.ts';
import { issuedTokens, pastedToken, type SignIn } from '../sign-in.ts';
import { find, say } from './element.ts';

/** The first thing people see: a name or a token, and a button. */
export class SignInForm {
  readonly #name = find('name', HTMLInputElement);
  readonly #problem = find('name-problem', HTMLElement);
  readonly #withToken = find('with-token', HTMLInputElement);
  readonly #tokenPart = find('token-part', HTMLElement);
  readonly #lifetime = find('lifetime', HTMLSelectElement);
  readonly #token = find('token', HTMLTextAreaElement);

  constructor(connect: (who: SignIn) => void) {
    this.#name.value = settings.get('name') ?? '';
    const form = find('connect', HTMLFormElement);
    form.addEventListener('change', () => this.#draw());
    this.#token.addEventListener('input', () => this.#draw());
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const who = this.#read();
      if (who !== undefined) connect(who);
    });
    this.#draw();
  }

  focus(): void {
    this.#name.focus();
  }

  #draw(): void {
    this.#tokenPart.hidden = !this.#withToken.checked;
    this.#lifetime.disabled = this.#pasted !== '';
  }

  get #pasted(): string {
    return this.#withToken.checked ? this.#token.value.trim() : '';
  }

  #read(): SignIn | undefined {
    const pasted = this.#pasted;
    const name = this.#name.value.trim().replace(/\s+/g, ' ');
    const missing = name === '' && pasted === '';
    say(this.#problem, missing ? 'Choose a name first.' : '');
    if (missing) {
      this.#name.setAttribute('aria-invalid', 'true');
      this.#name.focus();
      return undefined;
    }
    this.#name.removeAttribute('aria-invalid');
    if (name !== '') settings.set('name', name);
    if (pasted !== '') return { name: '', tokens: pastedToken(pasted) };
    if (!this.#withToken.checked) return { name };
    return { name, tokens: issuedTokens(name, Number(this.#lifetime.value)) };
  }
}
