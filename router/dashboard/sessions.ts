import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Access, includesRole, type Role } from '../access/index.ts';

/** Who looks at a page. */
export interface Visitor {
  readonly role: Role;
  /** Shown at the top: the id of a key, or how else somebody came in. */
  readonly name: string;
  /** The API key that they signed in with; undefined for visitors who did not, or came by a link. */
  readonly keyId: string | undefined;
  /** Team of the key; undefined: none. */
  readonly team: string | undefined;
  /** Every form of this visitor has it; undefined for visitors who did not sign in and may only look. */
  readonly formToken: string | undefined;
  /** Nobody has to sign in here. */
  readonly isAnybody?: true;
}

/** Who opens the page of a server without keys, on this machine. */
export const ANYBODY: Visitor = {
  role: 'view',
  name: 'anybody on this machine',
  keyId: undefined,
  team: undefined,
  formToken: undefined,
  isAnybody: true,
};

/** What a page or a form takes: a role, unless anybody may do it where nobody has to sign in. */
export interface Guard {
  readonly role: Role;
  readonly isForAnybody?: true;
}

export function mayUse(visitor: Visitor, { role, isForAnybody }: Guard): boolean {
  return mayDo(visitor, role) || (visitor.isAnybody === true && isForAnybody === true);
}

/** Whether a role includes what another one may. */
export function mayDo({ role }: Pick<Visitor, 'role'>, needed: Role): boolean {
  return includesRole(role, needed);
}

/** The outcome of a change; shown once, on the next page. */
export interface Outcome {
  readonly kind: 'note' | 'fault';
  readonly text: string;
  /** To be copied, and shown once: a new API key, or commands. */
  readonly secret?: string | undefined;
  /** Whether the next page shows by itself what was done, and does not say it. */
  readonly isQuiet?: boolean;
  /** What was sent and not saved, to be shown in the form again. */
  readonly sent?: URLSearchParams | undefined;
  /** The page that is shown then, below /dashboard, in place of the change's own. */
  readonly at?: string | undefined;
}

/** With an API key, as somebody that a provider of OpenID Connect knows, by a link, or without signing in, where anybody may. */
export type SignedInBy =
  | { readonly keyId: string }
  | { readonly person: { readonly name: string; readonly role: Role } }
  | 'link'
  | 'anybody';

interface Session {
  readonly by: SignedInBy;
  readonly formToken: string;
  readonly endsMs: number;
  outcome: Outcome | undefined;
}

/** Twelve hours: a working day. */
export const SESSION_MS = 12 * 3_600_000;
/** The oldest go beyond it. */
const MAX_SESSIONS = 1_000;
/** Per key or account, so that nobody signs others out. */
const MAX_OF_ONE = 20;

/**
 * Who is signed in, in the memory of this process. Cookies and form tokens are 256 random bits; of cookies only hashes are kept. A session lives as long as its
 * key is valid, and has the role that the key has at the moment; a person keeps the role that they came with.
 */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  readonly #access: Pick<Access, 'roleOf' | 'teamOf'> | undefined;

  constructor(access: Pick<Access, 'roleOf' | 'teamOf'> | undefined) {
    this.#access = access;
  }

  /** @returns the value of the cookie */
  begin(by: SignedInBy, nowMs: number): string {
    const cookie = randomBytes(32).toString('base64url');
    const formToken = randomBytes(32).toString('base64url');
    this.#sessions.set(hashOf(cookie), {
      by,
      formToken,
      endsMs: nowMs + SESSION_MS,
      outcome: undefined,
    });
    const own = Array.from(this.#sessions).filter(([, one]) => whoIs(one.by) === whoIs(by));
    for (const [oldest] of own.slice(0, -MAX_OF_ONE)) this.#sessions.delete(oldest);
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size <= MAX_SESSIONS) break;
      this.#sessions.delete(oldest);
    }
    return cookie;
  }

  /** Undefined if there is no such session, it is over, or its key may not open the page any more. */
  find(cookie: string | undefined, nowMs: number): Visitor | undefined {
    if (cookie === undefined) return undefined;
    const session = this.#sessions.get(hashOf(cookie));
    if (session === undefined) return undefined;
    const { by, formToken, endsMs } = session;
    const visitor = nowMs < endsMs ? this.#visitorOf(by, formToken) : undefined;
    if (visitor !== undefined) return visitor;
    this.end(cookie);
    return undefined;
  }

  #visitorOf(by: SignedInBy, formToken: string): Visitor | undefined {
    if (by === 'anybody') return { ...ANYBODY, formToken };
    const withoutKey = { keyId: undefined, team: undefined, formToken };
    if (by === 'link') return { role: 'admin', name: 'a link', ...withoutKey };
    if ('person' in by) return { ...by.person, ...withoutKey };
    const { keyId } = by;
    const role = this.#access?.roleOf(keyId);
    return role && { role, name: `key ${keyId}`, keyId, team: this.#access?.teamOf(keyId), formToken };
  }

  /** Keeps the outcome of a change for the next page. */
  keep(cookie: string | undefined, outcome: Outcome): void {
    const session = cookie === undefined ? undefined : this.#sessions.get(hashOf(cookie));
    if (session !== undefined) session.outcome = outcome;
  }

  /** What was kept for this page, which is then gone. */
  take(cookie: string | undefined): Outcome | undefined {
    const session = cookie === undefined ? undefined : this.#sessions.get(hashOf(cookie));
    const outcome = session?.outcome;
    if (session !== undefined) session.outcome = undefined;
    return outcome;
  }

  end(cookie: string | undefined): void {
    if (cookie !== undefined) this.#sessions.delete(hashOf(cookie));
  }
}

function whoIs(by: SignedInBy): string {
  if (typeof by === 'string') return by;
  return 'person' in by ? `person ${by.person.name}` : `key ${by.keyId}`;
}

/** Looked up by hash, how long it takes says nothing of how much of a guess was right. */
function hashOf(cookie: string): string {
  return createHash('sha256').update(cookie).digest('base64url');
}

/** Whether a form was made for this visitor. */
export function isOwnForm({ formToken }: Visitor, given: string | undefined): boolean {
  if (formToken === undefined || given === undefined) return false;
  return timingSafeEqual(digest(formToken), digest(given));
}

function digest(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}
