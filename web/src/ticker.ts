import { shorten } from './chat-message.ts';
import { ERRORS } from './connection.ts';

const UPDATES = '/user/queue/position-updates';
/** Before the symbol, where prices go. */
export const PRICE = '/topic/price/';
const PRICES = `${PRICE}*`;
/** All stocks, once: what a server without a ticker refuses. */
export const STOCKS = '/app/stocks';
const POSITIONS = '/app/positions';
/** Before the symbol, where orders go. */
export const TRADE = '/app/trade/';

/**
 * What the ticker listens to, in the order in which nothing is missed: what is wrong with the rest, what changes, what
 * there is.
 */
export const DESTINATIONS: readonly string[] = [ERRORS, UPDATES, PRICES, STOCKS, POSITIONS];

/** Prices of a stock that are kept. */
export const MAX_PRICES = 60;
/** More stocks than this are left out. */
const MAX_STOCKS = 50;
const MAX_NAME = 40;

/** Money is in cents. */
export interface Stock {
  symbol: string;
  name: string;
  /** Newest last, never empty. */
  prices: readonly number[];
}

export interface Position {
  symbol: string;
  shares: number;
  /** What these shares cost. */
  paid: number;
}

export interface Account {
  /** How many trades led to it. */
  trades: number;
  cash: number;
  positions: readonly Position[];
}

/** The stocks and the account, as far as the server has told. What it tells is checked: anybody may send prices. */
export class Ticker {
  #stocks = new Map<string, Stock>();
  #account: Account | undefined;
  #stale = true;

  get stocks(): readonly Stock[] {
    return [...this.#stocks.values()];
  }

  get account(): Account | undefined {
    return this.#account;
  }

  find(symbol: string): Stock | undefined {
    return this.#stocks.get(symbol);
  }

  /** Nobody listens any more: the next account counts, also one of a server that has begun anew. */
  away(): void {
    this.#stale = true;
  }

  /** Takes a message of one of {@link DESTINATIONS}. */
  take(destination: string, body: string): void {
    const value = parsed(body);
    if (destination === PRICES) this.#takePrice(value);
    else if (destination === STOCKS) this.#takeStocks(value);
    else if (destination === UPDATES || destination === POSITIONS) this.#takeAccount(value);
  }

  #takePrice(value: unknown): void {
    const { symbol, price } = members(value);
    const stock = typeof symbol === 'string' ? this.#stocks.get(symbol) : undefined;
    if (stock === undefined || !isAmount(price)) return;
    this.#stocks.set(stock.symbol, { ...stock, prices: [...stock.prices, price].slice(-MAX_PRICES) });
  }

  #takeStocks(value: unknown): void {
    if (!Array.isArray(value)) return;
    this.#stocks = new Map();
    for (const one of value.slice(0, MAX_STOCKS)) {
      const { symbol, name, prices } = members(one);
      if (typeof symbol !== 'string' || typeof name !== 'string' || !Array.isArray(prices)) continue;
      const known = prices.filter(isAmount).slice(-MAX_PRICES);
      if (known.length > 0)
        this.#stocks.set(symbol, { symbol, name: shorten(name, MAX_NAME), prices: known });
    }
  }

  /** Answers of two tabs may cross on their way; the one with more trades is the newer. */
  #takeAccount(value: unknown): void {
    const { trades, cash, positions } = members(value);
    if (!isAmount(trades) || !isAmount(cash)) return;
    if (!this.#stale && this.#account !== undefined && trades < this.#account.trades) return;
    this.#stale = false;
    const held = Object.entries(members(positions)).slice(0, MAX_STOCKS);
    this.#account = {
      trades,
      cash,
      positions: held.flatMap(([symbol, position]) => {
        const { shares, paid } = members(position);
        return isAmount(shares) && isAmount(paid) ? [{ symbol, shares, paid }] : [];
      }),
    };
  }
}

/** The newest price. */
export function priceOf(stock: Stock): number {
  return stock.prices.at(-1) ?? 0;
}

/** By how much a stock has changed since its oldest price, as a part of it. */
export function changeOf(stock: Stock): number {
  const oldest = stock.prices[0] ?? 0;
  return oldest === 0 ? 0 : priceOf(stock) / oldest - 1;
}

/** Points of a line through the prices in a field of this size, for an SVG; a steady price is in the middle. */
export function sparkline(prices: readonly number[], width: number, height: number): string {
  const [low, high] = [Math.min(...prices), Math.max(...prices)];
  const across = width / Math.max(1, prices.length - 1);
  const rise = (price: number) => (high === low ? 0.5 : (price - low) / (high - low));
  const points = prices.map((price, at) => `${round(at * across)},${round(height * (1 - rise(price)))}`);
  return points.join(' ');
}

const amount = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const signed = new Intl.NumberFormat(undefined, {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
  signDisplay: 'exceptZero',
});

/** Cents for people. */
export function money(cents: number): string {
  return amount.format(cents / 100);
}

/** Cents for people, with a sign. */
export function gain(cents: number): string {
  return signed.format(cents / 100);
}

/** A part of one for people, with a sign. */
export function percent(part: number): string {
  return `${signed.format(part * 100)}\u00a0%`;
}

/** Which colour a change has; what people read as 0.00 has none. */
export function direction(change: number): 'up' | 'down' | 'none' {
  if (Math.abs(change) < 0.5) return 'none';
  return change > 0 ? 'up' : 'down';
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function isAmount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function members(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
