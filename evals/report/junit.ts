import type { Condition, GateVerdict } from '../../router/artifact/index.ts';
import { escapeMarkup } from '../../router/markup.ts';
import { DASH, formatCost, formatLoss, formatRate, oneLine } from '../format.ts';
import { formatBound, formatLimit, formatProof, formatValue, furtherCasesNote } from './condition-text.ts';
import {
  excludedSentence,
  judgedBy,
  labelsLine,
  looksSentence,
  parseEvidence,
  verdictSubject,
} from './verdict-text.ts';

/**
 * The verdict as JUnit XML, one test case per condition. An INCONCLUSIVE is a failure of type `inconclusive`: what was not shown
 * must not look green.
 *
 * @throws PlimsollError `invalid-artifact`: the evidence is not what the gate writes
 * @see https://github.com/testmoapp/junitxml: there is no standard; these are the elements that all readers support
 */
export function junitReport(verdict: GateVerdict): string {
  const { conditions, issued } = verdict;
  const { name, decider } = judgedBy(verdict);
  const failures = conditions.filter((one) => one.verdict !== 'PASS').length;
  const counts = `tests="${conditions.length}" failures="${failures}" errors="0" skipped="0"`;
  const suite = `Plimsoll gate: ${verdictSubject(verdict)}`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="plimsoll-gate" ${counts}>`,
    `  <testsuite name="${xmlText(suite)}" ${counts} timestamp="${issued.slice(0, 19)}">`,
    '    <properties>',
    ...properties(verdict).map(
      ([name, value]) => `      <property name="${xmlText(name)}" value="${xmlText(value)}"/>`,
    ),
    '    </properties>',
    ...conditions.map((one) => testCase(one, `${name}.${decider}`)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function properties(verdict: GateVerdict): [string, string][] {
  const { suite, sealed } = verdict;
  return [
    ['verdict', verdict.verdict],
    ['verdict.sha256', verdict.sha256],
    ...judgedProperties(verdict),
    ['suite', suite.name],
    ['suite.sha256', suite.sha256],
    ['sealed.n', String(sealed.n)],
    ['sealed.sha256', sealed.sha256],
    ['sealed.excluded', excludedSentence(verdict)],
    ...labelProperties(verdict),
    ['looks.number', String(verdict.looks.number)],
    ['looks', looksSentence(verdict)],
    ...rungProperties(verdict),
  ];
}

function labelProperties(verdict: GateVerdict): [string, string][] {
  const line = labelsLine(verdict);
  return line === undefined ? [] : [['sealed.labels', line.text]];
}

function rungProperties(verdict: GateVerdict): [string, string][] {
  return parseEvidence(verdict).rungs.map(({ candidate, share, quality, cost_usd }) => [
    `rung.${candidate}`,
    `share ${formatRate(share)}, quality ${formatRate(quality)}, cost of 1,000 ${formatCost(cost_usd)}`,
  ]);
}

function judgedProperties(verdict: GateVerdict): [string, string][] {
  if ('decisions' in verdict) {
    const { file, sha256, form, ladder } = verdict.decisions;
    return [
      ['decisions', file],
      ['decisions.sha256', sha256],
      ['decisions.form', form],
      ['decisions.ladder', ladder.join(' < ')],
    ];
  }
  const { artifact, policy } = verdict;
  return [
    ['artifact', artifact.name],
    ['artifact.sha256', artifact.sha256],
    ['policy', `${policy.name} version ${policy.version}`],
    ['threshold', formatLoss(policy.threshold)],
  ];
}

function testCase(condition: Condition, group: string): string {
  const open = `    <testcase classname="${xmlText(group)}" name="${xmlText(condition.name)}"`;
  if (condition.verdict === 'PASS') return `${open}/>`;
  const figures = [`value ${formatValue(condition)}`, `limit ${formatLimit(condition)}`];
  const words = [...figures, furtherCasesNote(condition)].filter((one) => one !== undefined);
  const message = `${condition.verdict}: ${words.join(', ')}`;
  return [
    `${open}>`,
    `      <failure type="${condition.verdict.toLowerCase()}" message="${xmlText(message)}">${xmlText(detail(condition))}</failure>`,
    '    </testcase>',
  ].join('\n');
}

function detail(condition: Condition): string {
  const { confidence, method, n, note = DASH } = condition;
  return `bound ${formatBound(condition)} at confidence ${formatLoss(confidence)}, method ${method}, proof ${formatProof(condition)}, n ${n}, note ${note}`;
}

function xmlText(text: string): string {
  return escapeMarkup(oneLine(text));
}
