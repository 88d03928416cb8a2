import type { Condition, Verdict } from '../../router/artifact/index.ts';
import { boundWord, furtherCasesWords, limitWord, valueWord } from './condition-rows.ts';
import { DASH, lossWord } from './number-words.ts';
import { oneLine } from './one-line.ts';
import { excludedSentence, looksSentence, subjectWords } from './sealed-sentences.ts';

/**
 * The verdict as JUnit XML: one test case a condition. An INCONCLUSIVE is a failure of type `inconclusive`: what is not shown
 * must not look green.
 *
 * @see https://github.com/testmoapp/junitxml: there is no standard; these are the elements that all readers know
 */
export function junitReport(verdict: Verdict): string {
  const { conditions, issued } = verdict;
  const failures = conditions.filter((one) => one.verdict !== 'PASS').length;
  const counts = `tests="${conditions.length}" failures="${failures}" errors="0" skipped="0"`;
  const suite = `Plimsoll gate: ${subjectWords(verdict)}`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="plimsoll-gate" ${counts}>`,
    `  <testsuite name="${xmlText(suite)}" ${counts} timestamp="${issued.slice(0, 19)}">`,
    '    <properties>',
    ...properties(verdict).map(
      ([name, value]) => `      <property name="${name}" value="${xmlText(value)}"/>`,
    ),
    '    </properties>',
    ...conditions.map((one) => testCase(one, `${verdict.artifact.name}.${verdict.policy.name}`)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function properties(verdict: Verdict): [string, string][] {
  const { artifact, policy, suite, sealed } = verdict;
  return [
    ['verdict', verdict.verdict],
    ['verdict.sha256', verdict.sha256],
    ['artifact', artifact.name],
    ['artifact.sha256', artifact.sha256],
    ['policy', `${policy.name} version ${policy.version}`],
    ['threshold', lossWord(policy.threshold)],
    ['suite', suite.name],
    ['suite.sha256', suite.sha256],
    ['sealed.n', String(sealed.n)],
    ['sealed.sha256', sealed.sha256],
    ['sealed.excluded', excludedSentence(verdict)],
    ['sealed.earlier_looks', String(sealed.earlier_looks.length)],
    ['sealed.looks', looksSentence(verdict)],
  ];
}

function testCase(condition: Condition, group: string): string {
  const open = `    <testcase classname="${xmlText(group)}" name="${xmlText(condition.name)}"`;
  if (condition.verdict === 'PASS') return `${open}/>`;
  const figures = [`value ${valueWord(condition)}`, `limit ${limitWord(condition)}`];
  const words = [...figures, furtherCasesWords(condition)].filter((one) => one !== undefined);
  const message = `${condition.verdict}: ${words.join(', ')}`;
  return [
    `${open}>`,
    `      <failure type="${condition.verdict.toLowerCase()}" message="${xmlText(message)}">${xmlText(detail(condition))}</failure>`,
    '    </testcase>',
  ].join('\n');
}

function detail(condition: Condition): string {
  const { confidence, method, n, note = DASH } = condition;
  return `bound ${boundWord(condition)} at confidence ${lossWord(confidence)}, method ${method}, n ${n}, note ${note}`;
}

/** For attributes and text alike. */
function xmlText(text: string): string {
  return oneLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
