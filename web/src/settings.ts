const PREFIX = 'tidings.';

/** What the page remembers. Private windows and locked-down browsers refuse storage: then nothing is remembered. */
export const settings = {
  get(key: string): string | undefined {
    try {
      return localStorage.getItem(PREFIX + key) ?? undefined;
    } catch {
      return undefined;
    }
  },

  set(key: string, value: string | undefined): void {
    try {
      if (value === undefined) localStorage.removeItem(PREFIX + key);
      else localStorage.setItem(PREFIX + key, value);
    } catch {
      // Forgetting is all that is lost.
    }
  },
};
