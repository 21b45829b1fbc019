import { type Account, direction, gain, money, type Position, priceOf, type Ticker } from '../ticker.ts';
import { find, flash, make, say } from './element.ts';

interface Row {
  row: HTMLTableRowElement;
  shares: HTMLElement;
  value: HTMLElement;
  gain: HTMLElement;
  drawn: Position | undefined;
}

/** What the user has, worth what the prices say now. */
export class Portfolio {
  readonly #ticker: Ticker;
  readonly #table = find('positions', HTMLTableElement);
  readonly #body = find('position-rows', HTMLTableSectionElement);
  readonly #empty = find('positions-empty', HTMLElement);
  readonly #cash = find('cash', HTMLElement);
  readonly #total = find('total', HTMLElement);
  readonly #rows = new Map<string, Row>();

  constructor(ticker: Ticker) {
    this.#ticker = ticker;
  }

  draw(): void {
    const account = this.#ticker.account;
    const positions = account?.positions ?? [];
    this.#drop(positions);
    const rows = positions.map((position) => this.#drawRow(position));
    // A row that stands in its place keeps its light.
    if (rows.some((row, at) => this.#body.children[at] !== row)) this.#body.replaceChildren(...rows);
    this.#table.hidden = positions.length === 0;
    this.#empty.hidden = account === undefined || positions.length > 0;
    say(this.#cash, account === undefined ? '–' : money(account.cash));
    say(this.#total, account === undefined ? '–' : money(this.#worth(account)));
  }

  #worth(account: Account): number {
    return account.positions.reduce((sum, position) => sum + this.#value(position), account.cash);
  }

  #value(position: Position): number {
    const stock = this.#ticker.find(position.symbol);
    return stock === undefined ? position.paid : priceOf(stock) * position.shares;
  }

  #drop(positions: readonly Position[]): void {
    for (const [symbol, { row }] of this.#rows) {
      if (positions.some((position) => position.symbol === symbol)) continue;
      row.remove();
      this.#rows.delete(symbol);
    }
  }

  #drawRow(position: Position): HTMLElement {
    const row = this.#rows.get(position.symbol) ?? this.#makeRow(position.symbol);
    const value = this.#value(position);
    const change = value - position.paid;
    say(row.shares, position.shares.toLocaleString());
    say(row.value, money(value));
    say(row.gain, gain(change));
    row.row.dataset.change = direction(change);
    if (row.drawn?.shares !== position.shares) flash(row.shares, 'new');
    row.drawn = position;
    return row.row;
  }

  #makeRow(symbol: string): Row {
    const head = make('th', 'symbol', symbol);
    head.scope = 'row';
    const [shares, value, gained] = [make('td', 'number'), make('td', 'number'), make('td', 'number change')];
    const row = make('tr');
    row.append(head, shares, value, gained);
    const made: Row = { row, shares, value, gain: gained, drawn: undefined };
    this.#rows.set(symbol, made);
    return made;
  }
}
