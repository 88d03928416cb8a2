import { ALWAYS_STRONG } from '../policy/index.ts';
import type { DecisionRecord } from '../records/index.ts';

/** Why a model was chosen, in a sentence; a reason without one is shown as it is. */
const SENTENCES: Readonly<Record<string, string>> = {
  'within-threshold': 'The cheaper model is expected to reply well enough.',
  'over-threshold': 'The cheaper model would probably lose more quality than the threshold allows.',
  'requested-threshold': 'The request named a threshold of its own.',
  'fixed-policy': 'The policy always chooses this model.',
  'cascade-check': 'The cheaper model replied first, to be judged.',
  'cascade-accepted': 'The cheaper model replied, and its reply was judged good enough.',
  'cascade-escalated': 'The cheaper model replied, and its reply was not good enough.',
  'cascade-skipped': 'The prompt alone shows that no cheaper reply would do.',
  'cascade-unchecked': 'Nobody here can judge a cheaper reply, so the strongest model replied.',
  'same-turn': 'Results of tools go to the model that called them.',
  'same-session': 'The conversation stays on its stronger model.',
  'session-rescue': 'The conversation’s model failed too often, so a stronger one goes on.',
  rule: 'A rule of the configuration decided.',
  requirements: 'The policy’s choice cannot take this request.',
  latency: 'The policy’s choice was expected to be too slow.',
  'no-text': 'Nobody wrote any text, so the strongest model replies.',
  unreadable: 'The classifier does not know the script, so the strongest model replies.',
  'nothing-similar': 'Nothing similar was labelled, so the strongest model replies.',
  'classifier-failed': 'The classifier failed, so the strongest model replies.',
  'explicit-model': 'The client named the model.',
  deadline: 'There was no time left to decide.',
  limited: 'A limit had no room.',
  refused: 'The request was refused.',
};

export const REASONS: readonly string[] = Object.keys(SENTENCES);

export function reasonSentence(reason: string): string {
  return SENTENCES[reason] ?? reason;
}

/** What a decision may claim, in a sentence. */
export function verdictSentence({
  verdict,
  ungated_reason: why,
  policy,
  threshold,
}: Pick<DecisionRecord, 'verdict' | 'ungated_reason' | 'policy' | 'threshold'>): string {
  if (verdict === undefined) return 'Nothing was decided, so nothing is claimed.';
  if (verdict !== 'PASS') return `The proof does not cover this decision (${why ?? verdict}).`;
  const isStrongest = 'takes the strongest model. Loss is measured against that, so nothing can be lost.';
  if (policy?.name === ALWAYS_STRONG.name) return `The policy always ${isStrongest}`;
  if (threshold === undefined) return `A rule ${isStrongest}`; // below the strongest it claims nothing
  return 'The gate proved the policy that decided, with this threshold and for these models.';
}
