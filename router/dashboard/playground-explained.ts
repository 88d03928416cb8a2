import { type CandidateExplanation, contributionsOf, nearestWords } from '../classifier/index.ts';
import { type Html, html, type Part } from '../markup.ts';
import type { Decision, Explained } from '../router.ts';
import { DASH, percent, score } from './format.ts';
import { reasonSentence, verdictSentence } from './reasons.ts';
import { facts, table } from './table.ts';

/** Parts of the sum that are shown. */
const SHOWN = 12;

/** A decision, and what made its score. */
export function explainedHtml({ decision, explanation }: Explained): Html {
  const { candidate, model, reason, predictedLoss: loss, threshold, scores } = decision;
  const rows = Object.entries(scores ?? {}).map(([name, value]) => [name, percent(value)]);
  return html`<section class="panel" aria-labelledby="decision"><h2 id="decision">${model}</h2>
<p class="statement">${reasonSentence(reason)}</p>
${loss !== null && threshold !== null && html`<p>The cheaper model is expected to lose ${score(loss)}; up to ${score(threshold)} it is chosen.</p>`}
${rows.length > 0 && table('Scores', ['Candidate', 'Expected to reply well'], rows)}
${facts([
  ['Candidate', candidate],
  ['May claim', verdictHtml(decision)],
  ['Policy', `${decision.policy.name}, version ${decision.policy.version}`],
  ['Artifact', html`${decision.artifact.name} <code>${decision.artifact.sha256.slice(0, 12)}</code>`],
  ['Rule', decision.rule ?? DASH],
  ['The policy alone would have chosen', decision.policyChoice ?? DASH],
])}
${Object.entries(explanation ?? {}).map(([name, one]) => candidateHtml(name, one))}</section>`;
}

function verdictHtml({ verdict, ungatedReason, policy, threshold }: Decision): Html {
  const claim = {
    verdict,
    ungated_reason: ungatedReason ?? undefined,
    policy,
    threshold: threshold ?? undefined,
  };
  return html`<strong>${verdict}</strong> ${verdictSentence(claim)}`;
}

function candidateHtml(name: string, explanation: CandidateExplanation): Html {
  const parts = contributionsOf(explanation);
  const shown = parts.slice(0, SHOWN);
  const rest = parts.slice(SHOWN).reduce((sum, { contribution }) => sum + contribution, 0);
  const rows = [
    ['The average text', signed(explanation.intercept)],
    ...shown.map(({ part, contribution }) => [part, signed(contribution)]),
    ...(parts.length > SHOWN ? [[`${parts.length - SHOWN} smaller parts`, signed(rest)]] : []),
    [html`<strong>Sum</strong>`, html`<strong>${signed(explanation.logit)}</strong>`],
  ];
  return html`<details><summary>What makes the score of ${name}</summary>
<p class="muted">The score is the probability that this sum stands for, ${percent(1 / (1 + Math.exp(-explanation.logit)))}: each part says how this text departs from the average one.</p>
${table(`What makes the score of ${name}`, ['Part', 'Adds (logit)'], rows)}${nearestHtml(name, explanation)}</details>`;
}

function nearestHtml(name: string, { neighbours }: CandidateExplanation): Part {
  if (neighbours === undefined) return undefined;
  const rows = neighbours.nearest.map((near) => [
    nearestWords(near),
    near.similarity.toFixed(2),
    near.quality.toFixed(2),
  ]);
  return html`<h3>Nearest labelled cases</h3>${neighbours.similar === false && html`<p>Nothing similar was labelled: the nearest case lies below a similarity of ${neighbours.leastSimilarity!.toFixed(2)}.</p>`}
${table(`Nearest labelled cases of ${name}`, ['Case', 'Similarity', 'Quality'], rows)}`;
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;
}
