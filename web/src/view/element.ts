/** The element with this id; a page without it is built wrongly, which the first load shows. */
export function find<T extends Element>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`index.html has no ${type.name} with the id ${id}`);
  return element;
}

/** A new element with a class and, as text and never as HTML, its content. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = '',
  text?: string,
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className !== '') element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const exactClock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hourCycle: 'h23',
});

/** A time of day as `<time>`; `exact` shows milliseconds. */
export function time(at: number, exact = false): HTMLTimeElement {
  const element = make('time', 'time', (exact ? exactClock : clock).format(at));
  element.dateTime = new Date(at).toISOString();
  return element;
}

/** Runs `draw` once before the next picture, however often it is asked: a burst of messages costs one drawing. */
export function gathered(draw: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}

/** Shows text in an element, without touching it when nothing changed: a live region would speak again. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Lets an element light up, from the start also when it is lit still. */
export function flash(element: HTMLElement, how: 'up' | 'down' | 'new'): void {
  delete element.dataset.flash;
  // An animation begins anew only where the page was laid out without it.
  void element.offsetWidth;
  element.dataset.flash = how;
}
