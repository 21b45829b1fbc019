/** Where the page starts. */
export const LOBBY = '/topic/chat.lobby';
/** The longest destination that the page joins, in characters. */
export const MAX_DESTINATION = 120;

const PREFIX = '/topic/';

export type Checked = { ok: true; destination: string } | { ok: false; problem: string };

/** Reads what a person typed as a topic: `chat.rust` means `/topic/chat.rust`. */
export function readTopic(typed: string): Checked {
  const text = typed.trim();
  const destination = text.startsWith('/') ? text : PREFIX + text;
  if (text === '' || destination === PREFIX) return refuse('Write the name of a topic, such as chat.rust.');
  if (!destination.startsWith(PREFIX)) return refuse('This page joins topics only: begin with /topic/.');
  if (destination.length > MAX_DESTINATION) return refuse(`At most ${MAX_DESTINATION} characters.`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
  if (/[\s\u0000-\u001f\u007f]/.test(destination)) return refuse('A topic has no spaces in it.');
  if (/[*>#{}]/.test(destination)) return refuse('A pattern cannot be talked in: name one topic.');
  if (/\/$|\/\/|\.\.|\.$/.test(destination)) return refuse('Every part between the dots needs a name.');
  return { ok: true, destination };
}

/** The part that people say: `/topic/chat.lobby` is `chat.lobby`. */
export function shortName(destination: string): string {
  return destination.startsWith(PREFIX) ? destination.slice(PREFIX.length) : destination;
}

function refuse(problem: string): Checked {
  return { ok: false, problem };
}
