/** What a limit may count. */
export const LIMIT_UNITS = ['requests', 'tokens', 'usd'] as const;
export type LimitUnit = (typeof LIMIT_UNITS)[number];

/** What a limit may be for, in the order in which scopes name it. */
export const LIMIT_FIELDS = [
  'key',
  'team',
  'tag',
  'profile',
  'model',
  'provider',
  'experiment',
  'deployment',
] as const;
export type LimitField = (typeof LIMIT_FIELDS)[number];

/** How much of one unit there is in each window of one length. Windows follow each other without a gap, in UTC. */
export interface LimitWindow {
  /** Its length and its unit, such as `24h usd`. */
  readonly name: string;
  readonly unit: LimitUnit;
  /** Undefined: a calendar month. */
  readonly lengthMs: number | undefined;
  /** A whole number; of `usd` billionths. */
  readonly cap: number;
}

/**
 * What happens when a limit of the chosen model has no room. `next`: the next candidates are called, equals of the model first, then stronger
 * ones. `equals`: only its equals. `stronger`: only stronger ones. `wait`: the request waits for room. `refuse`: it is refused.
 */
export const AT_LIMIT = ['next', 'equals', 'stronger', 'wait', 'refuse'] as const;

/** What happens when a limit of models, providers or deployments is full. */
export interface WhenFull {
  readonly atLimit: (typeof AT_LIMIT)[number];
  /** Share of any window from which others are preferred that are as good, above 0; 1: never. */
  readonly preferOthersAt: number;
  /** For `wait`: the longest wait, in ms. */
  readonly maxWaitMs: number;
  /** For `wait`: requests that wait at once. */
  readonly maxWaiting: number;
}

export interface Limit {
  /** By which rules speak of it. */
  readonly name?: string | undefined;
  /** Field -> one name, or `*`: each that no other limit of the same fields names has an allowance of its own. Empty: all requests together. */
  readonly for: Readonly<Partial<Record<LimitField, string | undefined>>>;
  readonly windows: readonly LimitWindow[];
  /** Its path in the configuration, if that is not under `limits`. */
  readonly field?: string | undefined;
  /** Undefined: as `next`, and others are never preferred. */
  readonly whenFull?: WhenFull | undefined;
}

/** When the window that a time is in begins and ends. @param nowMs milliseconds since 1970 */
export function windowAt({ lengthMs }: Pick<LimitWindow, 'lengthMs'>, nowMs: number) {
  if (lengthMs !== undefined) {
    const startMs = Math.floor(nowMs / lengthMs) * lengthMs;
    return { startMs, endMs: startMs + lengthMs };
  }
  const at = new Date(nowMs);
  const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()];
  return { startMs: Date.UTC(year, month, 1), endMs: Date.UTC(year, month + 1, 1) };
}

type RareField = 'experiment' | 'deployment';

/** A request as limits see it, field by field; several tags, or models that may be called. */
export type LimitSubject = Readonly<
  Record<Exclude<LimitField, RareField>, readonly string[]> & Partial<Record<RareField, readonly string[]>>
>;

/** A limit that applies to a request, with the names that it applies by. */
export interface AppliedLimit {
  /** Such as `key=4f1c0a7b2d93 model=openai/gpt-6-sol`; `all` for all requests. */
  readonly scope: string;
  readonly names: Limit['for'];
  readonly windows: readonly LimitWindow[];
  readonly whenFull?: WhenFull | undefined;
}

/** Finds the limits of requests. */
export function limitFinder(limits: readonly Limit[]): (subject: LimitSubject) => readonly AppliedLimit[] {
  const families = familiesOf(limits);
  return (subject) => {
    const applied: AppliedLimit[] = [];
    for (const { fields, members } of families) {
      for (const names of combinations(fields, subject)) {
        const limit = members.find((one) => isFor(one, names, fields));
        if (limit !== undefined) {
          const { windows, whenFull } = limit;
          applied.push({ scope: scopeOf(names), names, windows, whenFull });
        }
      }
    }
    return applied;
  };
}

/** Limits of the same fields: the most specific one applies, in place of the others. */
interface Family {
  readonly fields: readonly LimitField[];
  readonly members: readonly Limit[];
}

function familiesOf(limits: readonly Limit[]): readonly Family[] {
  const families = new Map<string, { fields: readonly LimitField[]; members: Limit[] }>();
  for (const limit of limits) {
    const fields = LIMIT_FIELDS.filter((field) => limit.for[field] !== undefined);
    const family = families.get(fields.join()) ?? { fields, members: [] };
    families.set(fields.join(), family);
    family.members.push(limit);
  }
  for (const { members } of families.values()) members.sort((a, b) => openFields(a) - openFields(b));
  return [...families.values()];
}

export const EACH = '*';

function openFields(limit: Limit): number {
  return Object.values(limit.for).filter((name) => name === EACH).length;
}

function combinations(fields: readonly LimitField[], subject: LimitSubject): readonly Limit['for'][] {
  let all: readonly Limit['for'][] = [{}];
  for (const field of fields) {
    all = all.flatMap((names) => (subject[field] ?? []).map((name) => ({ ...names, [field]: name })));
  }
  return all;
}

function isFor(limit: Limit, names: Limit['for'], fields: readonly LimitField[]): boolean {
  return fields.every((field) => limit.for[field] === EACH || limit.for[field] === names[field]);
}

const UNSAFE = /[\s=%]/gu;

/** Names from outside cannot be taken for other names. */
export function scopeOf(names: Limit['for']): string {
  const parts = LIMIT_FIELDS.flatMap((field) => {
    const name = names[field];
    return name === undefined ? [] : `${field}=${name.replace(UNSAFE, encodeURIComponent)}`;
  });
  return parts.join(' ') || 'all';
}

/** The limit that a scope in the ledger comes from; undefined if there is none any more. */
export function limitOfScope(limits: readonly Limit[], scope: string): AppliedLimit | undefined {
  const names = new Map(
    scope === 'all' ? [] : scope.split(' ').map((part) => part.split('=') as [string, string]),
  );
  const valuesOf = (field: LimitField) => (names.has(field) ? [decodeURIComponent(names.get(field)!)] : []);
  const subject = Object.fromEntries(
    LIMIT_FIELDS.map((field) => [field, valuesOf(field)]),
  ) as unknown as LimitSubject;
  return limitFinder(limits)(subject).find((applied) => applied.scope === scope);
}

/** Whether one of them counts money. */
export function countsMoney(limits: readonly Limit[]): boolean {
  return limits.some(({ windows }) => windows.some(({ unit }) => unit === 'usd'));
}

/** Whether one of them names what only API keys have. */
export function namesKeys(limits: readonly Limit[]): boolean {
  return limits.some((limit) => limit.for.key !== undefined || limit.for.team !== undefined);
}
