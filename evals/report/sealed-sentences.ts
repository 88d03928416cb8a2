import type { Verdict } from '../../router/artifact/index.ts';
import { countWord, lossWord } from './number-words.ts';

const MS_A_DAY = 86_400_000;

/** What was judged: `starter, policy default version 3, threshold 0.1200, suite everyday, 2,747 sealed cases`. */
export function subjectWords({ artifact, policy, suite, sealed }: Verdict): string {
  return [
    artifact.name,
    `policy ${policy.name} version ${policy.version}`,
    `threshold ${lossWord(policy.threshold)}`,
    `suite ${suite.name}`,
    `${countWord(sealed.n)} sealed cases`,
  ].join(', ');
}

/** When it was issued, and for a PASS how long it counts. */
export function issuedSentence({ issued, valid_for_days: days, verdict }: Verdict): string {
  const until = new Date(Date.parse(issued) + days * MS_A_DAY).toISOString();
  return `Issued ${dayOf(issued)}${verdict === 'PASS' ? `, counts until ${dayOf(until)}` : ''}.`;
}

/** Whether the sealed cases were still sealed. A report says it loudly where `earlier_looks` holds any. */
export function looksSentence({ sealed: { earlier_looks: looks } }: Verdict): string {
  if (looks.length === 0) return 'First look at these sealed cases: the confidence is what it says.';
  const times = looks.length === 1 ? 'once' : `${looks.length} times`;
  return `These sealed cases were looked at ${times} before, with another classifier or threshold. The confidence is no longer what it says: take fresh cases.`;
}

/** One row a look, the heading first. */
export function lookRows({ sealed }: Verdict): string[][] {
  return [
    ['earlier look', 'artifact', 'threshold', 'suite', 'verdict'],
    ...sealed.earlier_looks.map(({ issued, artifact, threshold, suite, verdict }) => [
      dayOf(issued),
      artifact,
      lossWord(threshold),
      suite,
      verdict,
    ]),
  ];
}

/** Which rows and cases were not judged, by reason. */
export function excludedSentence({ sealed: { excluded } }: Verdict): string {
  const { missing_outcome, duplicates, rejected, seen = 0, seen_group = 0 } = excluded;
  if (missing_outcome + duplicates + rejected + seen + seen_group === 0) return 'No case was excluded.';
  const parts = [
    ...(seen > 0 ? [`${countWord(seen)} seen in training or calibration`] : []),
    ...(seen_group > 0 ? [`${countWord(seen_group)} in one group with a seen question`] : []),
    `${countWord(missing_outcome)} without an outcome`,
    `${countWord(duplicates)} duplicates`,
    `${countWord(rejected)} rejected rows`,
  ];
  return `Excluded: ${parts.join(', ')}.`;
}

function dayOf(instant: string): string {
  return instant.slice(0, 10);
}
