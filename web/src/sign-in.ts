/** Where tokens come from. */
export interface Tokens {
  /** The next one; rejects with an error in words for people. */
  next(): Promise<string>;
  /** Whether there is a next one, and it is wanted. */
  renews: boolean;
}

/** Who connects, and with what. */
export interface SignIn {
  /** What a person wrote; empty where the token says it. */
  name: string;
  /** Absent: the name alone. */
  tokens?: Tokens;
}

/** What CONNECT says of it. */
export async function connectHeaders({ name, tokens }: SignIn): Promise<Record<string, string>> {
  return tokens === undefined ? { login: name } : { Authorization: `Bearer ${await tokens.next()}` };
}

/**
 * Asks the server that the page came from for tokens, which only development mode issues.
 *
 * @param lifetime in seconds
 */
export function issuedTokens(user: string, lifetime: number, ask: typeof fetch = fetch): Tokens {
  const next = async () => {
    const response = await ask('development/token', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user, lifetime }),
    });
    if (response.status === 404 || response.status === 405) {
      throw new Error('this server issues no tokens; paste one');
    }
    if (!response.ok) throw new Error(`the server issued no token: ${(await response.text()).trim()}`);
    const { token } = (await response.json()) as { token: string };
    return token;
  };
  return { next, renews: true };
}

/** A token that somebody pasted: there is no next one. */
export function pastedToken(token: string): Tokens {
  return { next: () => Promise.resolve(token), renews: false };
}
