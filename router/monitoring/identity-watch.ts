import type { ReplyIdentity } from '../types.ts';

/** What one model has said about itself; can be stored. */
export interface KnownIdentity {
  readonly model: string | undefined;
  /** Those of the first hundred replies. */
  readonly fingerprints: readonly string[];
  /** Replies that these are of. */
  readonly n: number;
}

/** A model is another one than before, under the same name. */
export interface IdentityChange {
  /** `<provider>/<model>`. */
  readonly name: string;
  readonly field: 'model' | 'fingerprint';
  readonly before: string;
  readonly now: string;
}

export interface IdentityWatch {
  /** @returns the change that this reply shows */
  observe(name: string, identity: ReplyIdentity): IdentityChange | undefined;
  /** What an earlier process knew; what this one has seen since counts as a change, if it is one. */
  restore(name: string, known: KnownIdentity): void;
}

/** Replies in a row with another name: while a provider changes over, both come. */
const ANOTHER_NAME = 3;
/** Replies whose fingerprints are learned, and replies in a row with none of them. */
const LEARNED = 100;
const OTHER_FINGERPRINTS = 50;
const MOST_FINGERPRINTS = 32;
/** Replies, while fingerprints are learned. */
const STORED_EVERY = 20;
/** Anything else is no name, and is not repeated in a log. */
const NAME = /^[\w.:/@-]{1,100}$/;

interface Seen {
  model: string | undefined;
  fingerprints: Set<string>;
  n: number;
  otherModel: string | undefined;
  otherModels: number;
  otherFingerprints: number;
}

/**
 * Watches whether models change under their names. A provider's word is taken as it is: no change is a proof of none, and a change none of another quality.
 * @param onLearned called with what is to be stored, when that is new
 */
export function createIdentityWatch(
  onLearned: (name: string, known: KnownIdentity) => void = () => {},
): IdentityWatch {
  const models = new Map<string, Seen>();

  function seenOf(name: string): Seen {
    const seen = models.get(name) ?? fresh({ model: undefined, fingerprints: [], n: 0 });
    models.set(name, seen);
    return seen;
  }

  function learn(name: string, known: KnownIdentity): void {
    models.set(name, fresh(known));
    onLearned(name, known);
  }

  return {
    observe(name, { model, fingerprint }) {
      const seen = seenOf(name);
      const [before, learned] = [seen.model, seen.n];
      if (model !== undefined && NAME.test(model) && isAnotherModel(seen, model)) {
        learn(name, { model, fingerprints: [], n: 0 });
        return { name, field: 'model', before: before!, now: model };
      }
      if (fingerprint !== undefined && NAME.test(fingerprint)) {
        if (areOtherFingerprints(seen, fingerprint)) {
          learn(name, { model: seen.model, fingerprints: [fingerprint], n: 1 });
          return { name, field: 'fingerprint', before: [...seen.fingerprints].join(', '), now: fingerprint };
        }
      }
      if (before !== seen.model || (learned < seen.n && seen.n % STORED_EVERY === 0))
        onLearned(name, knownOf(seen));
      return undefined;
    },
    restore: (name, known) => void models.set(name, fresh(known)),
  };
}

function knownOf({ model, fingerprints, n }: Seen): KnownIdentity {
  return { model, fingerprints: [...fingerprints], n };
}

function fresh({ model, fingerprints, n }: KnownIdentity): Seen {
  const others = { otherModel: undefined, otherModels: 0, otherFingerprints: 0 };
  return { model, fingerprints: new Set(fingerprints), n, ...others };
}

function isAnotherModel(seen: Seen, model: string): boolean {
  seen.model ??= model;
  if (model === seen.model) {
    seen.otherModels = 0;
    return false;
  }
  seen.otherModels = model === seen.otherModel ? seen.otherModels + 1 : 1;
  seen.otherModel = model;
  return seen.otherModels >= ANOTHER_NAME;
}

function areOtherFingerprints(seen: Seen, fingerprint: string): boolean {
  if (seen.n < LEARNED) {
    seen.n++;
    if (seen.fingerprints.size < MOST_FINGERPRINTS) seen.fingerprints.add(fingerprint);
    return false;
  }
  seen.otherFingerprints = seen.fingerprints.has(fingerprint) ? 0 : seen.otherFingerprints + 1;
  return seen.otherFingerprints >= OTHER_FINGERPRINTS;
}
