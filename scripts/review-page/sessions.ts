import { createHash, randomBytes } from 'node:crypto';

/** Who is signed in: one of the reviewers, or who leads the review and sees how far they agree. */
export type Who = { readonly role: 'reviewer'; readonly name: string } | { readonly role: 'lead' };

/** Who may come in: by a link that works once, and from then on by a cookie. Secrets are 256 random bits, and only their hashes are kept. */
export class Sessions {
  readonly #links = new Map<string, Who>();
  readonly #cookies = new Map<string, Who>();

  /** @returns the token of a link */
  invite(who: Who): string {
    return issued(this.#links, who);
  }

  /** @returns the value of a cookie; undefined if there is no such link, or it was used */
  enter(token: string): { readonly cookie: string; readonly who: Who } | undefined {
    const key = hashOf(token);
    const who = this.#links.get(key);
    if (who === undefined) return undefined;
    this.#links.delete(key);
    return { cookie: issued(this.#cookies, who), who };
  }

  /** @param cookie its value, if the browser sent one */
  find(cookie: string | undefined): Who | undefined {
    return cookie === undefined ? undefined : this.#cookies.get(hashOf(cookie));
  }
}

function issued(secrets: Map<string, Who>, who: Who): string {
  const secret = randomBytes(32).toString('base64url');
  secrets.set(hashOf(secret), who);
  return secret;
}

/** Looked up by hash, how long it takes says nothing of how much of a guess was right. */
function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}
