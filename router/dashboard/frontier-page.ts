import { type FrontierPoint, type StoredVerdict, verdictTerm } from '../artifact/index.ts';
import { PlimsollError, quoted } from '../errors.ts';
import { type Html, html, type Part } from '../markup.ts';
import { COMMAND } from '../package.ts';
import { shellWord } from '../shell-word.ts';
import { qualityChart, readEvidence, unbroken } from '../verdict-report/index.ts';
import { candidateCommands } from './candidate-commands.ts';
import { confirmed, confirmedForm } from './confirmed-form.ts';
import { day, relative } from './format.ts';
import {
  type FoundFrontier,
  type FrontierArtifact,
  findFrontier,
  frontierArtifacts,
} from './frontier-artifacts.ts';
import { drawFrontier, FACTS, type Gated, marginPoints, type ShownPoint } from './frontier-points.ts';
import type { DashboardChange, PageContext } from './page.ts';
import { mayDo } from './sessions.ts';
import { table } from './table.ts';

/** If a suite sets none. */
const USUAL_MARGIN = 0.03;
/** In points, of the field: any above 0 is taken, and a field cannot say so. */
const SMALLEST_MARGIN = 1e-9;

/** What other thresholds of an artifact would save and lose, and what it takes to prove one of them. */
export function frontierPage(context: PageContext): Html | undefined {
  const artifacts = frontierArtifacts(context);
  const wanted = context.query.get('artifact');
  const artifact = wanted === null ? artifacts[0] : artifacts.find(({ name }) => name === wanted);
  if (artifact === undefined) return undefined;
  return html`<div class="heading"><h1>Frontier</h1></div>
<p class="lead">Every threshold buys quality with money. This is what the test requests say of each: a choice to look at, until the gate proves it on fresh ones.</p>
${artifacts.length > 1 && otherArtifacts(artifacts, artifact)}
${artifactHtml(context, artifact)}`;
}

function otherArtifacts(artifacts: readonly FrontierArtifact[], shown: FrontierArtifact): Html {
  return html`<nav class="periods many" aria-label="Artifacts"><ul>${artifacts.map(
    ({ name, isServing }) =>
      html`<li><a href="/dashboard/frontier?artifact=${encodeURIComponent(name)}"${name === shown.name && html` aria-current="page"`}>${name}${isServing && ' (serves)'}</a></li>`,
  )}</ul></nav>`;
}

function artifactHtml(context: PageContext, artifact: FrontierArtifact): Html {
  const found = findFrontier(artifact);
  if (found.kind === 'missing') return missingHtml(artifact, found.why);
  const { verdict, frontier } = found;
  const evidence = readEvidence(verdict);
  const asked = {
    margin: askedNumber(context.query, 'margin', (points) => points > 0 && points <= 100),
    share: askedNumber(context.query, 'share', (percent) => percent >= 0 && percent <= 100),
  };
  const margin = marginFrom(asked.margin, verdict);
  const gated = gatedNow(found, context);
  const drawn =
    evidence &&
    drawFrontier(gated, frontier, evidence, {
      margin,
      at: pointFrom(asked.share, verdict),
    });
  if (drawn === undefined)
    return missingHtml(artifact, 'Its verdict does not say how good the strongest model is on all requests.');
  const { chart, shown, chosen, served } = drawn;
  const point = shown[chosen]!;
  return html`<section class="panel verdict-report frontier" data-frontier="${JSON.stringify(shown)}" data-frontier-at="${chosen}">
${oddNumbers(asked, margin).map((text) => html`<p class="notice fault" role="alert">${text}</p>`)}
${expiredHtml(gated, context)}
<h2>${artifact.name}: ${chosen === served ? 'the threshold of its verdict' : 'another threshold than that of its verdict'}</h2>
<div class="frontier-parts"><div>${qualityChart(chart)}</div>
<div>${pointForm(artifact, point, { margin, chosen, last: shown.length - 1 })}
<dl class="facts" aria-live="polite">${FACTS.map(([fact, name]) => html`<div><dt>${name}</dt><dd data-fact="${fact}">${unbroken(point.words[fact])}</dd></div>`)}</dl>
${candidateForm(context, artifact, point, margin)}</div></div>
<p class="explained">The <strong>threshold</strong> is how much worse a cheaper reply may be expected to be before a request goes to a stronger model. A <strong>point</strong> of quality is a hundredth of its scale. The <strong>bound</strong> is right with the confidence of the gate's look for a threshold that was fixed beforehand; of one that you pick because it looks good here it is a description. The number of <strong>fresh test requests</strong> is a forecast for a first look: labelled requests that neither training nor the gate has seen.</p>
<details><summary>All thresholds as a table</summary>${pointsTable(shown)}</details></section>`;
}

function missingHtml({ folder }: FrontierArtifact, why: string): Html {
  return html`<section class="panel"><h2>There is no frontier to draw</h2><p>${why}</p>
<p>The gate measures it. The same suite and the same labelled cases as before take no further look:</p>
<div class="code"><pre tabindex="0"><code>${COMMAND} gate --artifact ${shellWord(folder)} --suite suite.yaml --data labelled.jsonl</code></pre><button type="button" class="quiet" data-copy hidden>Copy</button></div></section>`;
}

function pointForm(
  { name }: FrontierArtifact,
  { share, words }: ShownPoint,
  { margin, chosen, last }: { readonly margin: number; readonly chosen: number; readonly last: number },
): Html {
  return html`<form method="get" action="/dashboard/frontier" class="filters">
<input type="hidden" name="artifact" value="${name}">
<label class="slide" data-slide hidden>Drag: from cheap to good <input type="range" min="0" max="${last}" value="${last - chosen}" step="1" aria-valuetext="${words.escalated}" data-point></label>
<label>Sent to a stronger model, % <input type="number" name="share" min="0" max="100" step="0.1" value="${share}" data-share></label>
<label>Margin, points <input type="number" name="margin" min="${SMALLEST_MARGIN}" max="100" step="any" value="${marginPoints(margin)}"></label>
<button>Show</button></form>`;
}

function gatedNow(
  { verdict, manifest: { policy } }: Extract<FoundFrontier, { kind: 'found' }>,
  { parts, nowMs }: PageContext,
): Gated {
  const { expires } = verdictTerm(verdict, parts.config().gate.maxValidForDays);
  return { verdict, policy, expires, isExpired: nowMs >= Date.parse(expires) };
}

/** Only a PASS has a term that matters. */
function expiredHtml({ verdict, expires, isExpired }: Gated, { nowMs }: PageContext): Part {
  if (verdict.verdict !== 'PASS' || !isExpired) return undefined;
  return html`<p class="notice fault">The PASS expired on ${day(expires)} (${relative(Date.parse(expires), nowMs)}). What the gate measured is shown as it was, and none of it is proved any more: gate again.</p>`;
}

/** A number of the address: nothing, one that may be, or what was written in place of one. */
type Asked = { readonly value: number } | { readonly odd: string } | undefined;

function askedNumber(query: URLSearchParams, name: string, isAllowed: (value: number) => boolean): Asked {
  const text = query.get(name)?.trim();
  if (!text) return undefined;
  const value = decimal(text);
  return isAllowed(value) ? { value } : { odd: quoted(text) };
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** As a field of numbers sends them: not in hexadecimal, nor empty; else NaN. */
function decimal(text: string | null): number {
  return text !== null && DECIMAL.test(text) ? Number(text) : Number.NaN;
}

function oddNumbers({ margin, share }: Record<'margin' | 'share', Asked>, shown: number): string[] {
  return [
    ...(margin !== undefined && 'odd' in margin
      ? [
          `The margin ${margin.odd} is no number above 0 and up to 100. Shown is one of ${marginPoints(shown)} points, as the verdict has it.`,
        ]
      : []),
    ...(share !== undefined && 'odd' in share
      ? [`The share ${share.odd} is no number from 0 to 100. Shown is the threshold of the verdict.`]
      : []),
  ];
}

/** The margin that was asked for, else that of the verdict. */
function marginFrom(asked: Asked, verdict: StoredVerdict): number {
  if (asked !== undefined && 'value' in asked) return Number((asked.value / 100).toPrecision(12));
  return verdict.conditions.find(({ name }) => name === 'quality-loss')?.limits.max ?? USUAL_MARGIN;
}

/** The point nearest to the share that was asked for, else that of the verdict. */
function pointFrom(asked: Asked, verdict: StoredVerdict) {
  const distance = ({ threshold, escalation_rate: rate }: FrontierPoint) =>
    asked !== undefined && 'value' in asked
      ? Math.abs(rate - asked.value / 100)
      : Math.abs(threshold - verdict.policy.threshold);
  return (points: readonly FrontierPoint[]): number =>
    points.reduce((best, one, i) => (distance(one) < distance(points[best]!) ? i : best), 0);
}

function pointsTable(shown: readonly ShownPoint[]): Html {
  return table(
    'Every threshold',
    ['Threshold', 'Sent to a stronger model', 'Saves', 'Lost', 'Lost at most'],
    shown.map(({ threshold, words }): Part[] => [
      String(threshold),
      unbroken(words.escalated),
      unbroken(words.saved),
      words.lost,
      words.upper,
    ]),
  );
}

function candidateForm(
  context: PageContext,
  { name }: FrontierArtifact,
  { threshold }: ShownPoint,
  margin: number,
): Part {
  const { visitor } = context;
  if (visitor.formToken === undefined || !mayDo(visitor, 'operate'))
    return html`<p class="muted">Whoever has the role operate can make this point a candidate.</p>`;
  return confirmedForm(context, {
    action: 'make-candidate',
    fields: { artifact: name, threshold: String(threshold), margin: String(margin) },
    name: 'Make this a candidate',
    question:
      'You get the commands that plan it and let the gate judge it. Nothing changes here; the gate then takes a look at the cases that you give it.',
    button: 'Write the commands',
  });
}

/** The commands for a point. The server has no labelled cases, and a look cannot be taken back: people start the gate. */
export const candidateChange: DashboardChange = {
  path: 'make-candidate',
  role: 'operate',
  subject: 'artifact',
  back: (form) => `frontier?artifact=${encodeURIComponent(form.get('artifact') ?? '')}`,
  async run(form, context) {
    confirmed(form);
    const artifact = frontierArtifacts(context).find(({ name }) => name === form.get('artifact'));
    const found = artifact && findFrontier(artifact);
    if (artifact === undefined || found?.kind !== 'found')
      throw new PlimsollError('not-found', 'There is no such artifact with a frontier here.');
    const threshold = decimal(form.get('threshold'));
    const margin = decimal(form.get('margin'));
    if (!found.frontier.points.some((one) => one.threshold === threshold))
      throw new PlimsollError(
        'invalid-input',
        'The gate has not measured this threshold. Choose one on the page.',
      );
    if (!(margin > 0 && margin <= 1))
      throw new PlimsollError('invalid-input', 'The margin must be above 0 and at most 100 points.');
    const { config } = context.parts;
    return {
      kind: 'note',
      text: `A candidate of ${artifact.name} at the threshold ${threshold}, with a margin of ${marginPoints(margin)} points: run these where the labelled cases are.`,
      secret: candidateCommands({
        folder: artifact.folder,
        manifest: found.manifest,
        threshold,
        margin,
        verdict: found.verdict,
        logsToState: config().decisionLog?.to === 'state',
      }),
    };
  },
};
