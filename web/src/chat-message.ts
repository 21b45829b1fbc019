/** Longer texts are cut before they are shown, so that one message cannot stall the page. */
export const MAX_TEXT_SHOWN = 20_000;
/** Longer names are cut. */
export const MAX_NAME_SHOWN = 60;

/** What one person said, as it travels: `{"from","text","sent"}`. */
export interface ChatMessage {
  from: string;
  text: string;
  /** Milliseconds since 1970 by the sender's clock. */
  sent: number;
}

/** A message body as the page shows it; whatever is not a chat message is plain text. */
export type Content = ({ kind: 'chat' } & Omit<ChatMessage, 'sent'>) | { kind: 'plain'; text: string };

export function encodeChat(message: ChatMessage): string {
  return JSON.stringify({ from: message.from, text: message.text, sent: message.sent });
}

export function decodeChat(body: string): Content {
  const value = parsed(body);
  if (!isChat(value)) return { kind: 'plain', text: shorten(body, MAX_TEXT_SHOWN) };
  return {
    kind: 'chat',
    from: shorten(value.from, MAX_NAME_SHOWN),
    text: shorten(value.text, MAX_TEXT_SHOWN),
  };
}

/** Cuts after `limit` characters and says how many are missing. */
export function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit)}… (${text.length - limit} more characters)`;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function isChat(value: unknown): value is { from: string; text: string } {
  if (typeof value !== 'object' || value === null) return false;
  const { from, text } = value as Record<string, unknown>;
  return typeof from === 'string' && from.trim() !== '' && typeof text === 'string';
}
