import type { Ticker } from '../ticker.ts';
import { find, gathered, say } from './element.ts';
import { OrderForm, type Side } from './order-form.ts';
import { Portfolio } from './portfolio.ts';
import { StockTable } from './stock-table.ts';

/** The ticker: stocks, orders, and what the user has. */
export class TickerView {
  readonly #ticker: Ticker;
  readonly #section = find('ticker', HTMLElement);
  readonly #opener = find('open-ticker', HTMLButtonElement);
  readonly #state = find('ticker-state', HTMLElement);
  readonly #body = find('ticker-body', HTMLElement);
  readonly #form: OrderForm;
  readonly #table: StockTable;
  readonly #portfolio: Portfolio;
  #refusal = '';
  /** Draws before the next picture. */
  readonly ask = gathered(() => this.#draw());

  /**
   * @param open somebody wants to see it
   * @param order sends an order; answers with what is in the way, or nothing
   */
  constructor(
    ticker: Ticker,
    open: () => void,
    order: (side: Side, symbol: string, shares: number) => string | undefined,
  ) {
    this.#ticker = ticker;
    this.#form = new OrderForm(ticker, order, this.ask);
    this.#portfolio = new Portfolio(ticker);
    this.#table = new StockTable(ticker, (symbol) => {
      this.#form.choose(symbol);
      this.ask();
    });
    this.#opener.addEventListener('click', open);
  }

  show(shown: boolean): void {
    this.#section.hidden = !shown;
    if (shown) this.#opener.setAttribute('aria-current', 'true');
    else this.#opener.removeAttribute('aria-current');
    this.#form.complain('');
    this.ask();
  }

  /** Whether an order could leave now. */
  ready(ready: boolean): void {
    this.#refusal = '';
    this.#form.ready(ready);
    if (ready) this.#form.complain('');
    this.ask();
  }

  /** Tells what was wrong with an order. */
  complain(problem: string): void {
    this.#form.complain(problem);
  }

  /** The server has no ticker. */
  refused(why: string): void {
    this.#refusal = why;
    this.ask();
  }

  #draw(): void {
    if (this.#section.hidden) return;
    const there = this.#ticker.stocks.length > 0;
    this.#body.hidden = !there || this.#refusal !== '';
    if (this.#refusal !== '') say(this.#state, this.#refusal);
    else say(this.#state, there ? 'Made-up companies' : 'Asking for prices…');
    this.#form.draw();
    this.#table.draw(this.#form.symbol);
    this.#portfolio.draw();
  }
}
