import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRORS } from '../src/connection.ts';
import { changeOf, DESTINATIONS, direction, MAX_PRICES, priceOf, sparkline, Ticker } from '../src/ticker.ts';

const [, UPDATES, PRICES, STOCKS, POSITIONS] = DESTINATIONS as [string, string, string, string, string];

function ticker() {
  const made = new Ticker();
  const tell = (destination: string, value: unknown) => made.take(destination, JSON.stringify(value));
  tell(STOCKS, [{ symbol: 'TIDE', name: 'Tidal Power', prices: [100, 110] }]);
  return { made, tell };
}

test('errors are asked for before anything can be refused, and changes before what there is', () => {
  assert.equal(DESTINATIONS[0], ERRORS);
  assert.ok(DESTINATIONS.indexOf(PRICES) < DESTINATIONS.indexOf(STOCKS));
  assert.ok(DESTINATIONS.indexOf(UPDATES) < DESTINATIONS.indexOf(POSITIONS));
});

test('prices continue the list, which is bounded', () => {
  const { made, tell } = ticker();
  const before = made.find('TIDE');
  tell(PRICES, { symbol: 'TIDE', price: 121 });
  const stock = made.find('TIDE');
  assert.ok(stock !== undefined && stock !== before);
  assert.deepEqual(stock.prices, [100, 110, 121]);
  assert.equal(priceOf(stock), 121);
  assert.ok(Math.abs(changeOf(stock) - 0.21) < 1e-9);
  for (let price = 0; price < 2 * MAX_PRICES; price += 1) tell(PRICES, { symbol: 'TIDE', price });
  assert.equal(made.find('TIDE')?.prices.length, MAX_PRICES);
  assert.equal(made.find('TIDE')?.prices.at(-1), 2 * MAX_PRICES - 1);
});

test('what makes no sense is left out', () => {
  const { made, tell } = ticker();
  for (const price of [-1, 0.5, '7', null, 1e300]) tell(PRICES, { symbol: 'TIDE', price });
  tell(PRICES, { symbol: 'NONE', price: 1 });
  tell(PRICES, null);
  made.take(PRICES, 'not {json');
  assert.deepEqual(made.find('TIDE')?.prices, [100, 110]);
  tell(STOCKS, [{ symbol: 'A', name: 'A', prices: [] }, 7, { symbol: 'B', name: 'B', prices: ['x', 5] }]);
  assert.deepEqual(made.stocks, [{ symbol: 'B', name: 'B', prices: [5] }]);
  tell(POSITIONS, { trades: 1, cash: 'much', positions: {} });
  assert.equal(made.account, undefined);
});

test('of two accounts that cross the newer one counts, and after an absence the next one', () => {
  const { made, tell } = ticker();
  const account = (trades: number) => ({ trades, cash: 5, positions: { TIDE: { shares: trades, paid: 2 } } });
  tell(UPDATES, account(2));
  tell(POSITIONS, account(1));
  assert.deepEqual(made.account, {
    trades: 2,
    cash: 5,
    positions: [{ symbol: 'TIDE', shares: 2, paid: 2 }],
  });
  made.away();
  tell(POSITIONS, account(1));
  assert.equal(made.account?.trades, 1);
});

test('the line fills its field, and a steady price is in the middle', () => {
  assert.equal(sparkline([1, 3, 2], 100, 20), '0,20 50,0 100,10');
  assert.equal(sparkline([4, 4], 100, 20), '0,10 100,10');
  assert.equal(sparkline([4], 100, 20), '0,10');
});

test('what people read as no change has no colour', () => {
  assert.deepEqual([0.4, -0.4, 0.5, -0.5].map(direction), ['none', 'none', 'up', 'down']);
});
