/** The median is over this many newest samples. */
export const MAX_SAMPLES = 1_000;

/** Round-trip times of the session, in milliseconds. */
export class Latency {
  #samples: number[] = [];

  record(milliseconds: number): void {
    this.#samples.push(milliseconds);
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
  }

  clear(): void {
    this.#samples = [];
  }

  get last(): number | undefined {
    return this.#samples.at(-1);
  }

  /** The lower median: a value that was really measured. */
  get p50(): number | undefined {
    const sorted = this.#samples.toSorted((a, b) => a - b);
    return sorted[Math.ceil(sorted.length / 2) - 1];
  }
}

/** A duration for people: `0.8 ms`, `12 ms`, `1.3 s`, or a dash when nothing was measured. */
export function milliseconds(value: number | undefined): string {
  if (value === undefined) return '–';
  if (value >= 1_000) return `${(value / 1_000).toFixed(1)} s`;
  return value < 9.95 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}
