import { PlimsollError } from '../errors.ts';
import { FEEDBACK_KINDS, type FeedbackKind, type FeedbackSignal } from '../feedback-kinds.ts';
import { RecentMap } from '../recent-map.ts';
import { DECISIONS, type Documents, type Log, type LogRecord } from '../state/index.ts';
import { CAPTURED } from './captured.ts';
import { FEEDBACK, type FeedbackEntry, feedbackId, feedbackRecord } from './feedback.ts';
import { type FeedbackTokens, feedbackTokens, type TokenSubject, tokenSecret } from './feedback-tokens.ts';
import type { RequestFacts } from './request-facts.ts';

/** `feedback` of the configuration. */
export interface FeedbackOptions {
  /** Whether replies have a token by which their end user can give feedback without an API key. */
  readonly tokens: boolean;
  readonly tokenTtlMs: number;
}

/** What is said about one reply. At least one of the last four. */
export interface GivenFeedback {
  readonly decisionId?: string | undefined;
  readonly token?: string | undefined;
  /** 0 to 1. */
  readonly score?: number | undefined;
  readonly correctAnswer?: string | undefined;
  readonly comment?: string | undefined;
  readonly signal?: FeedbackSignal | undefined;
}

export interface FeedbackReceipt {
  readonly decisionId: string;
  readonly recorded: readonly FeedbackKind[];
}

/** Where feedback is taken. */
export interface FeedbackDesk {
  /** To be called when a request is recorded: its client may give feedback from then on. */
  remember(facts: Pick<RequestFacts, 'id' | 'keyId' | 'user' | 'session' | 'decision'>): void;
  /** Undefined if there are no tokens, or not yet. */
  token(subject: TokenSubject): string | undefined;
  /**
   * Stores it. What was said before is not changed, and the receipt is the same.
   * @param keyId of the client; undefined where no key is needed
   * @returns undefined if the token is wrong or has expired
   * @throws PlimsollError `not-found` if there is no such decision under this key; `state-unavailable`
   */
  give(given: GivenFeedback, keyId: string | undefined): Promise<FeedbackReceipt | undefined>;
  /** Scores of replies that routing chose, since the process began: of those that stayed cheap, and of those that it escalated. */
  scores(): readonly { readonly chosen: 'kept' | 'escalated'; readonly n: number; readonly sum: number }[];
  counts(): readonly {
    readonly kind: FeedbackKind;
    readonly outcome: 'recorded' | 'repeated';
    readonly count: number;
  }[];
}

interface DeskParts {
  readonly options: FeedbackOptions;
  readonly log: Log;
  readonly documents: Documents;
  readonly nowMs?: () => number;
}

/** The owner of a decision: the key that may give feedback on it, and the person for whom that is erased. */
type Owner = Pick<LogRecord, 'keyId' | 'user' | 'session' | 'sameSubjectAs'> & {
  /** Undefined if no scores decided, or this process did not serve it. */
  readonly chosen?: 'kept' | 'escalated' | undefined;
};

/** Decisions that this process remembers; older ones are looked up in the logs. */
const MOST_REMEMBERED = 100_000;

/** Opens the desk. A state that is away does not hold this up: tokens are handed out once their secret could be read. */
export function openFeedbackDesk({ options, log, documents, nowMs = Date.now }: DeskParts): FeedbackDesk {
  const owners = new RecentMap<Owner>(MOST_REMEMBERED);
  const counts = new Map<FeedbackKind, { recorded: number; repeated: number }>();
  const scores = new Map<'kept' | 'escalated', { readonly n: number; readonly sum: number }>();
  const underway = new Map<string, Promise<unknown>>();
  let tokens: FeedbackTokens | undefined;
  let opening: Promise<FeedbackTokens | undefined> | undefined;

  function opened(): Promise<FeedbackTokens | undefined> {
    opening ??= tokenSecret(documents).then(
      (secret) => {
        tokens = feedbackTokens(secret, options.tokenTtlMs);
        return tokens;
      },
      () => {
        opening = undefined; // the state says itself what is wrong; the next request tries again
        return undefined;
      },
    );
    return opening;
  }
  if (options.tokens) void opened();

  /** The logs keep users and sessions as hashes, which the state copies by itself. */
  async function ownerOf(decisionId: string): Promise<Owner | undefined> {
    const remembered = owners.get(decisionId);
    if (remembered !== undefined) return remembered;
    for (const stream of [DECISIONS, CAPTURED]) {
      const record = await log.get(stream, decisionId);
      if (record !== undefined) return { keyId: record.keyId, sameSubjectAs: { stream, id: decisionId } };
    }
    return undefined;
  }

  async function verified(token: string, decisionId: string | undefined): Promise<TokenSubject | undefined> {
    const subject = (tokens ?? (await opened()))?.verify(token, nowMs());
    return decisionId === undefined || decisionId === subject?.decisionId ? subject : undefined;
  }

  /** Undefined if the token is wrong. @throws PlimsollError `not-found` if there is none and the key has no such decision */
  async function subjectOf(
    { token, decisionId }: GivenFeedback,
    keyId: string | undefined,
  ): Promise<(TokenSubject & { readonly owner: Owner | undefined }) | undefined> {
    const subject =
      token === undefined ? decisionId && { decisionId, keyId } : await verified(token, decisionId);
    const owner = subject ? await ownerOf(subject.decisionId) : undefined;
    if (token === undefined && (owner === undefined || owner.keyId !== keyId)) throw noSuchDecision();
    return subject ? { ...subject, owner } : undefined;
  }

  function addScore(chosen: Owner['chosen'], score: number): void {
    if (chosen === undefined) return;
    const { n, sum } = scores.get(chosen) ?? { n: 0, sum: 0 };
    scores.set(chosen, { n: n + 1, sum: sum + score });
  }

  async function count(id: string, kind: FeedbackKind): Promise<void> {
    const known = counts.get(kind) ?? { recorded: 0, repeated: 0 };
    counts.set(kind, known);
    if ((await log.get(FEEDBACK, id)) === undefined) known.recorded++;
    else known.repeated++;
  }

  async function store(
    given: GivenFeedback,
    subject: TokenSubject & { readonly owner: Owner | undefined },
  ): Promise<FeedbackReceipt> {
    const entries = entriesOf(given, subject, nowMs());
    for (const { decisionId, kind } of entries) await count(feedbackId(decisionId, kind), kind);
    const { user, session, sameSubjectAs } = subject.owner ?? {};
    const records = entries.map((entry) => ({ ...feedbackRecord(entry), user, session, sameSubjectAs }));
    const isFirstScore =
      given.score !== undefined &&
      (await log.get(FEEDBACK, feedbackId(subject.decisionId, 'score'))) === undefined;
    await log.append(FEEDBACK, records);
    if (isFirstScore) addScore(subject.owner?.chosen, given.score);
    return { decisionId: subject.decisionId, recorded: entries.map(({ kind }) => kind) };
  }

  /** One after the other for each decision: of two scores at once one is the first. */
  async function inTurn<T>(decisionId: string, work: () => Promise<T>): Promise<T> {
    const before = underway.get(decisionId);
    const mine = before === undefined ? work() : before.then(work, work);
    underway.set(decisionId, mine);
    try {
      return await mine;
    } finally {
      if (underway.get(decisionId) === mine) underway.delete(decisionId);
    }
  }

  return {
    remember({ id, keyId, user, session, decision }) {
      const chosen = decision?.predictedLoss == null ? undefined : decision.escalated ? 'escalated' : 'kept';
      owners.set(id, { keyId, user, session: session?.name, chosen });
    },
    token(subject) {
      if (!options.tokens) return undefined;
      if (tokens === undefined) void opened();
      return tokens?.sign(subject, nowMs());
    },
    async give(given, keyId) {
      const subject = await subjectOf(given, keyId);
      return subject && inTurn(subject.decisionId, () => store(given, subject));
    },
    scores: () => [...scores].map(([chosen, { n, sum }]) => ({ chosen, n, sum })),
    counts: () =>
      [...counts].flatMap(([kind, { recorded, repeated }]) => [
        { kind, outcome: 'recorded' as const, count: recorded },
        { kind, outcome: 'repeated' as const, count: repeated },
      ]),
  };
}

function noSuchDecision(): PlimsollError {
  return new PlimsollError(
    'not-found',
    'There is no such decision under this API key. Give the id from x-plimsoll-decision-id; older ones are known only if decision_log.to is state, or if the request was captured.',
    { place: { field: 'decision_id' } },
  );
}

function entriesOf(
  given: GivenFeedback,
  { decisionId, keyId }: TokenSubject,
  timeMs: number,
): FeedbackEntry[] {
  const { score, correctAnswer, comment, signal, token } = given;
  const via = token === undefined ? ('key' as const) : ('token' as const);
  const said: Partial<Record<FeedbackKind, Pick<FeedbackEntry, 'score' | 'text'>>> = {
    ...(score !== undefined && { score: { score } }),
    ...(correctAnswer !== undefined && { correct_answer: { text: correctAnswer } }),
    ...(comment !== undefined && { comment: { text: comment } }),
    ...(signal !== undefined && { [signal]: {} }),
  };
  return FEEDBACK_KINDS.flatMap((kind) => {
    const what = said[kind];
    return what === undefined ? [] : [{ decisionId, timeMs, keyId, via, kind, ...what }];
  });
}
