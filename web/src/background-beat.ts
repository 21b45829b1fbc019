/**
 * Calls `beat` every `interval` milliseconds while the page is hidden, until the answer is called.
 *
 * Browsers let the timers of a hidden page run once a minute, which is too rare for a heart-beat of 10 s: a second
 * window in the background would be dropped again and again. The timers of a worker keep their pace.
 */
export function beatWhileHidden(beat: () => void, interval: number): () => void {
  const worker = new Worker(new URL('./beat-worker.ts', import.meta.url), { type: 'module' });
  worker.onmessage = () => {
    if (document.hidden) beat();
  };
  worker.postMessage(interval);
  return () => worker.terminate();
}
