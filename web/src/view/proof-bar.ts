import type { SignIn } from '../sign-in.ts';
import { countdown } from '../token-clock.ts';
import { find, say } from './element.ts';

/** Who is signed in with a token, and until when; above the conversation. */
export class ProofBar {
  readonly #bar = find('proof', HTMLElement);
  readonly #user = find('proof-user', HTMLElement);
  readonly #left = find('proof-left', HTMLElement);
  readonly #problem = find('proof-problem', HTMLElement);
  readonly #renews = find('proof-renews', HTMLInputElement);
  readonly #now = find('proof-now', HTMLButtonElement);

  /**
   * @param renew asks for a renewal now
   * @param wanted is told whether tokens are to be renewed
   */
  constructor(renew: () => void, wanted: (on: boolean) => void) {
    this.#now.addEventListener('click', renew);
    this.#renews.addEventListener('change', () => wanted(this.#renews.checked));
  }

  /** @param user who the server says it is; nothing while there is no connection */
  show(user: string | undefined, { name, tokens }: SignIn): void {
    this.#bar.hidden = user === undefined || tokens === undefined;
    if (this.#bar.hidden) return;
    const pasted = name === '';
    this.#renews.checked = tokens?.renews === true;
    this.#renews.disabled = pasted;
    this.#now.disabled = pasted;
    say(this.#user, user ?? '');
    say(this.#problem, pasted ? 'A pasted token is not renewed.' : '');
  }

  /** @param left milliseconds to the end of the session */
  count(left: number | undefined): void {
    say(this.#left, left === undefined ? '–' : countdown(left));
  }

  complain(problem: string): void {
    say(this.#problem, problem);
  }
}
