import { CHOICES, type Choice, readChoice, withChoice } from '../transport.ts';
import { find, make } from './element.ts';

/**
 * Lets people choose the transport. The choice stands in the page's url and nowhere else: a bookmark keeps it, and a
 * transport that was forced for a trial does not surprise anyone next week.
 */
export class TransportChooser {
  readonly #select = find('transport', HTMLSelectElement);
  #choice = readChoice(new URL(location.href));

  /** @param changed called when another transport was chosen */
  constructor(changed: () => void) {
    const sockJs = make('optgroup');
    sockJs.label = 'SockJS only';
    for (const offer of CHOICES) {
      const option = make('option', '', offer.label);
      option.value = offer.choice;
      (offer.sockJs ? sockJs : this.#select).append(option);
    }
    this.#select.append(sockJs);
    this.#select.value = this.#choice;
    this.#select.addEventListener('change', () => {
      this.#choice = CHOICES[this.#select.selectedIndex]?.choice ?? 'automatic';
      history.replaceState(null, '', withChoice(new URL(location.href), this.#choice));
      changed();
    });
  }

  get choice(): Choice {
    return this.#choice;
  }
}
