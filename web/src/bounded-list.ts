/** Keeps the newest `limit` items and counts all, so that a view can tell what it has not shown yet. */
export class BoundedList<T> {
  readonly limit: number;
  #items: T[] = [];
  #total = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  push(item: T): void {
    this.#items.push(item);
    this.#total += 1;
    // In steps, since dropping one at a time moves the whole array for each message.
    if (this.#items.length >= this.limit * 2) this.#items = this.#items.slice(-this.limit);
  }

  clear(): void {
    this.#items = [];
  }

  /** How many items were ever pushed. */
  get total(): number {
    return this.#total;
  }

  /** The items kept, oldest first. */
  get items(): readonly T[] {
    return this.#items.length > this.limit ? this.#items.slice(-this.limit) : this.#items;
  }

  get last(): T | undefined {
    return this.#items.at(-1);
  }

  /** The kept items that were pushed after the first `seen` ones. */
  since(seen: number): readonly T[] {
    const fresh = Math.min(this.#total - seen, this.#items.length, this.limit);
    return fresh <= 0 ? [] : this.#items.slice(-fresh);
  }
}
