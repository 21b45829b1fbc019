import {
  changeOf,
  direction,
  money,
  percent,
  priceOf,
  type Stock,
  sparkline,
  type Ticker,
} from '../ticker.ts';
import { find, flash, make, say } from './element.ts';

const WIDTH = 100;
const HEIGHT = 28;
const SVG = 'http://www.w3.org/2000/svg';

interface Row {
  row: HTMLTableRowElement;
  button: HTMLButtonElement;
  line: SVGPolylineElement;
  price: HTMLElement;
  change: HTMLElement;
  drawn: Stock | undefined;
}

/** The stocks with their prices. Only rows that changed are touched. */
export class StockTable {
  readonly #ticker: Ticker;
  readonly #choose: (symbol: string) => void;
  readonly #body = find('stock-rows', HTMLTableSectionElement);
  readonly #rows = new Map<string, Row>();

  /** @param choose somebody wants to trade this one */
  constructor(ticker: Ticker, choose: (symbol: string) => void) {
    this.#ticker = ticker;
    this.#choose = choose;
  }

  draw(chosen: string): void {
    for (const [symbol, { row }] of this.#rows) {
      if (this.#ticker.find(symbol) !== undefined) continue;
      row.remove();
      this.#rows.delete(symbol);
    }
    for (const stock of this.#ticker.stocks) {
      const row = this.#rows.get(stock.symbol) ?? this.#makeRow(stock);
      row.row.toggleAttribute('data-chosen', stock.symbol === chosen);
      if (row.drawn !== stock) drawRow(row, stock);
      row.drawn = stock;
    }
  }

  #makeRow(stock: Stock): Row {
    const button = make('button', 'stock');
    button.type = 'button';
    button.append(make('b', 'symbol', stock.symbol), make('span', 'company', stock.name));
    button.addEventListener('click', () => this.#choose(stock.symbol));
    const head = make('th');
    head.scope = 'row';
    head.append(button);
    const spark = document.createElementNS(SVG, 'svg');
    const line = document.createElementNS(SVG, 'polyline');
    spark.setAttribute('viewBox', `-1 -2 ${WIDTH + 2} ${HEIGHT + 4}`);
    spark.setAttribute('preserveAspectRatio', 'none');
    spark.setAttribute('class', 'spark');
    spark.append(line);
    const drawing = make('td', 'drawing');
    drawing.setAttribute('aria-hidden', 'true');
    drawing.append(spark);
    const price = make('td', 'number price');
    const change = make('td', 'number change');
    const row = make('tr');
    row.append(head, drawing, price, change);
    this.#body.append(row);
    const made = { row, button, line, price, change, drawn: undefined };
    this.#rows.set(stock.symbol, made);
    return made;
  }
}

function drawRow(row: Row, stock: Stock): void {
  const [price, change] = [priceOf(stock), changeOf(stock)];
  row.line.setAttribute('points', sparkline(stock.prices, WIDTH, HEIGHT));
  say(row.price, money(price));
  say(row.change, percent(change));
  row.row.dataset.change = direction(change * 10_000);
  if (row.drawn === undefined) return;
  const step = price - priceOf(row.drawn);
  if (step !== 0) flash(row.price, step > 0 ? 'up' : 'down');
}
