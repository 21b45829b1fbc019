/**
 * Sends a heart-beat every `interval` milliseconds while the page is hidden, until `socket` closes.
 *
 * Browsers let the timers of a hidden page run once a minute, which is too rare for a heart-beat of 10 s: a second
 * window in the background would be dropped again and again. The timers of a worker keep their pace.
 */
export function keepBeating(socket: WebSocket, interval: number): void {
  const worker = new Worker(new URL('./beat-worker.ts', import.meta.url), { type: 'module' });
  worker.onmessage = () => {
    if (document.hidden && socket.readyState === WebSocket.OPEN) socket.send('\n');
  };
  worker.postMessage(interval);
  socket.addEventListener('close', () => worker.terminate());
}
