import type { LimitRefusal, WindowStanding } from '../access/index.ts';
import { type Dialect, NANO } from '../catalog/index.ts';
import { errorBody } from '../dialects/index.ts';

/**
 * The headers by which OpenAI's and Anthropic's clients know how much is left: for requests and for tokens, the window with the smallest share
 * left. OpenAI API reference, "Rate limits"; Anthropic API reference, "Rate limits", response headers. Money has no header in either.
 */
export function limitHeaders(standing: readonly WindowStanding[], dialect: Dialect): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const unit of ['requests', 'tokens'] as const) {
    const tightest = tightestOf(standing.filter((one) => one.unit === unit));
    if (tightest !== undefined) Object.assign(headers, FORMS[dialect](unit, tightest));
  }
  return headers;
}

type HeaderForm = (unit: 'requests' | 'tokens', standing: WindowStanding) => Record<string, string>;

const openaiForm: HeaderForm = (unit, { cap, left, resetsInMs }) => ({
  [`x-ratelimit-limit-${unit}`]: String(cap),
  [`x-ratelimit-remaining-${unit}`]: String(left),
  [`x-ratelimit-reset-${unit}`]: duration(resetsInMs),
});

const FORMS: Readonly<Record<Dialect, HeaderForm>> = {
  openai: openaiForm,
  responses: openaiForm,
  anthropic: (unit, { cap, left, resetsInMs }) => ({
    [`anthropic-ratelimit-${unit}-limit`]: String(cap),
    [`anthropic-ratelimit-${unit}-remaining`]: String(left),
    [`anthropic-ratelimit-${unit}-reset`]: new Date(Date.now() + resetsInMs).toISOString(),
  }),
};

function tightestOf(standing: readonly WindowStanding[]): WindowStanding | undefined {
  return standing.toSorted((a, b) => a.left / a.cap - b.left / b.cap)[0];
}

const UNITS = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** As OpenAI writes it: 6m0s, 1s, 20ms. */
function duration(ms: number): string {
  if (ms < 1_000) return `${ms}ms`;
  let left = ms;
  let text = '';
  for (const [unit, length] of UNITS) {
    const count = Math.floor(left / length);
    left -= count * length;
    if (count > 0 || text !== '') text += `${count}${unit}`;
  }
  return text;
}

/**
 * A refusal as a response: rates are worth another try, money is not, and the official clients are told so. A request that is more than a limit
 * allows at all is told no time to come back.
 */
export interface LimitResponse {
  readonly status: 429 | 503;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

const UNAVAILABLE = {
  status: 503,
  code: 'state_unavailable',
  message: 'The limits of this request cannot be checked at the moment. Try again later.',
} as const;

/** @param refusal undefined: the ledger cannot be reached */
export function limitResponse(refusal: LimitRefusal | undefined, dialect: Dialect): LimitResponse {
  const { status, code, message } =
    refusal === undefined
      ? UNAVAILABLE
      : ({ status: 429, code: codeOf(refusal), message: messageOf(refusal) } as const);
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    ...(!refusal?.neverFits && { 'retry-after': String(refusal?.retryAfterS ?? 5) }),
    ...(refusal && limitHeaders(refusal.standing, dialect)),
  };
  if (refusal !== undefined && (refusal.unit === 'usd' || refusal.neverFits))
    headers['x-should-retry'] = 'false';
  return {
    status,
    headers,
    body: Buffer.from(JSON.stringify(errorBody(dialect, { status, code, message }))),
  };
}

function codeOf({ unit }: LimitRefusal): string {
  return unit === 'usd' ? 'insufficient_quota' : 'rate_limit_exceeded';
}

/** Names of keys, teams and models are the operator's, and the client sent or may know them. */
function messageOf({ unit, window, limit, neverFits, standing, retryAfterS }: LimitRefusal): string {
  const length = window.slice(0, window.indexOf(' '));
  const { cap = 0 } = standing.find((one) => one.unit === unit) ?? {};
  const whose = limit.scope === 'all' ? 'all requests together' : limit.scope.replaceAll('=', ' ');
  if (neverFits) {
    const remedy = unit === 'requests' ? '' : ' Send less text, or a smaller max_tokens.';
    return `This request may take more ${unit} than the limit of ${amountOf(cap, unit)} in ${length} for ${whose} allows.${remedy}`;
  }
  const what = unit === 'usd' ? 'budget' : 'limit';
  return `The ${what} of ${amountOf(cap, unit)} in ${length} for ${whose} has no room for this request. Try again in ${retryAfterS} s.`;
}

function amountOf(cap: number, unit: LimitRefusal['unit']): string {
  return unit === 'usd' ? `${cap / NANO} USD` : `${cap} ${unit}`;
}
