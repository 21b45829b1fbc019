/** The first wait, in milliseconds; each further one is twice as long. */
export const FIRST_WAIT = 1_000;
/** No wait is longer than this, in milliseconds. */
export const LONGEST_WAIT = 30_000;

/**
 * How long to wait before attempt number `attempt` (0 = the first retry), in milliseconds.
 *
 * Between half and all of the doubled wait: the spread keeps a thousand pages from coming back to a restarted
 * server in the same instant.
 *
 * @param random a number in `0..1`
 */
export function backoff(attempt: number, random: number): number {
  const full = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(attempt, 20));
  return Math.round(full * (0.5 + random / 2));
}
