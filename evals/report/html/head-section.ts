import type { Verdict } from '../../../router/artifact/index.ts';
import type { Evidence } from '../../gate/index.ts';
import { limitWord } from '../condition-rows.ts';
import { costWord, countWord, lossWord, rateWord } from '../number-words.ts';
import { issuedSentence, lookRows, looksSentence } from '../sealed-sentences.ts';
import { escaped } from './escaped.ts';
import { htmlTable, SIGNS } from './html-table.ts';

/** The verdict in large letters, what was judged, and the four figures that one asks for first. */
export function headSection(verdict: Verdict, evidence: Evidence): string {
  const { verdict: word, artifact, policy, suite } = verdict;
  return `<header>
<p class="eyebrow">Plimsoll gate · ${escaped(artifact.name)}</p>
<h1 class="${word.toLowerCase()}"><span aria-hidden="true">${SIGNS[word]}</span> ${word}</h1>
<p>Policy ${escaped(policy.name)} version ${policy.version} at threshold ${lossWord(policy.threshold)}, held against suite ${escaped(suite.name)}. ${issuedSentence(verdict)}</p>
${looks(verdict)}
<dl class="key">${keyFigures(verdict, evidence).map(keyFigure).join('')}</dl>
</header>`;
}

function looks(verdict: Verdict): string {
  const sentence = looksSentence(verdict);
  if (verdict.sealed.earlier_looks.length === 0) return `<p class="muted">${sentence}</p>`;
  return `<div class="loud" role="note"><p><strong>Warning.</strong> ${sentence}</p>${htmlTable('Earlier looks', lookRows(verdict))}</div>`;
}

type KeyFigure = readonly [name: string, value: string, beside: string];

function keyFigures({ conditions, sealed }: Verdict, evidence: Evidence): KeyFigure[] {
  const loss = conditions.find(({ name }) => name === 'quality-loss');
  const { cost, quality } = evidence;
  return [
    ['quality loss', lossWord(evidence.quality_loss), loss ? `limit ${limitWord(loss)}` : 'no limit'],
    [
      'quality, routed',
      rateWord(quality.routed),
      `cheap ${rateWord(quality.cheap)}, strong ${rateWord(quality.strong)}`,
    ],
    ['escalated', rateWord(evidence.escalation_rate), `of ${countWord(sealed.n)} sealed cases`],
    [
      'saved',
      rateWord(cost?.saved_against_strong),
      cost
        ? `${costWord(cost.routed_usd)} for 1,000, strong ${costWord(cost.strong_usd)}`
        : `not every cost is known`,
    ],
  ];
}

function keyFigure([name, value, beside]: KeyFigure): string {
  return `<div><dt>${name}</dt><dd>${value}<small>${beside}</small></dd></div>`;
}
