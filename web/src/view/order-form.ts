import { money, priceOf, type Ticker } from '../ticker.ts';
import { find, make, say } from './element.ts';

const MAX_SHARES = 10_000;

export type Side = 'buy' | 'sell';

/** Where orders are written. Enter buys; selling wants its own button. */
export class OrderForm {
  readonly #ticker: Ticker;
  readonly #form = find('order', HTMLFormElement);
  readonly #symbol = find('order-symbol', HTMLSelectElement);
  readonly #shares = find('order-shares', HTMLInputElement);
  readonly #estimate = find('order-estimate', HTMLElement);
  readonly #problem = find('order-problem', HTMLElement);
  readonly #buttons = ['buy', 'sell'].map((id) => find(id, HTMLButtonElement));

  /**
   * @param order sends it; answers with what is in the way, or nothing
   * @param changed another stock or number was chosen
   */
  constructor(
    ticker: Ticker,
    order: (side: Side, symbol: string, shares: number) => string | undefined,
    changed: () => void,
  ) {
    this.#ticker = ticker;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      const side: Side = event.submitter?.id === 'sell' ? 'sell' : 'buy';
      const shares = this.#shares.value.trim();
      const wrong = !/^\d{1,5}$/.test(shares) || Number(shares) < 1 || Number(shares) > MAX_SHARES;
      this.#shares.setAttribute('aria-invalid', String(wrong));
      if (wrong) {
        this.complain(`Write a whole number of shares, 1 to ${MAX_SHARES}.`);
        this.#shares.focus();
        return;
      }
      this.complain('');
      this.complain(order(side, this.#symbol.value, Number(shares)) ?? '');
    });
    this.#shares.addEventListener('input', () => {
      this.#shares.removeAttribute('aria-invalid');
      changed();
    });
    this.#symbol.addEventListener('change', changed);
  }

  get symbol(): string {
    return this.#symbol.value;
  }

  choose(symbol: string): void {
    this.#symbol.value = symbol;
    this.#shares.focus();
    this.#shares.select();
  }

  /** Whether an order could leave now. */
  ready(ready: boolean): void {
    for (const button of this.#buttons) button.setAttribute('aria-disabled', String(!ready));
  }

  complain(problem: string): void {
    say(this.#problem, problem);
  }

  draw(): void {
    const stocks = this.#ticker.stocks;
    const known = [...this.#symbol.options].map(({ value }) => value).join();
    if (known !== stocks.map(({ symbol }) => symbol).join()) {
      const chosen = this.#symbol.value;
      this.#symbol.replaceChildren(...stocks.map(({ symbol, name }) => option(symbol, name)));
      if (this.#ticker.find(chosen) !== undefined) this.#symbol.value = chosen;
    }
    const stock = this.#ticker.find(this.#symbol.value);
    const cents = stock === undefined ? 0 : priceOf(stock);
    const shares = Number(this.#shares.value);
    const sum = Number.isSafeInteger(shares) && shares > 0 && shares <= MAX_SHARES;
    say(this.#estimate, sum && cents > 0 ? `${shares} × ${money(cents)} = ${money(cents * shares)}` : '');
  }
}

function option(symbol: string, name: string): HTMLOptionElement {
  const element = make('option', '', `${symbol} · ${name}`);
  element.value = symbol;
  return element;
}
