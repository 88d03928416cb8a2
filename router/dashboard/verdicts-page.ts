import { existsSync } from 'node:fs';
import path from 'node:path';
import {
  conditionWords,
  listArtifacts,
  readCurrent,
  type Standing,
  type StoredArtifact,
  type StoredVerdict,
  verdictTerm,
} from '../artifact/index.ts';
import { STARTER_FOLDER } from '../artifact-views.ts';
import { PlimsollError } from '../errors.ts';
import { type Html, html, type Part } from '../markup.ts';
import { unbroken, VERDICT_SIGNS, verdictSections, verdictSummary } from '../verdict-report/index.ts';
import { verdictIn } from './certified.ts';
import { confirmed, confirmedForm } from './confirmed-form.ts';
import { DASH, day, relative, score, time } from './format.ts';
import type { DashboardChange, PageContext } from './page.ts';
import { mayDo } from './sessions.ts';
import { table, unseenHeading } from './table.ts';

interface ServedProof {
  readonly name: string;
  readonly artifact: { readonly name: string; readonly sha256: string };
  readonly standing: Standing;
  readonly verdict: StoredVerdict | undefined;
}

/** As many digits of a sha256 as tell a few artifacts apart. */
const MARK_LENGTH = 12;

/** What the gate proved of what serves, and which artifact serves in a store; or the report of one of the verdicts. */
export function verdictsPage(context: PageContext): Html | undefined {
  const { nowMs, steps } = context;
  if (steps[0] !== undefined) return reportPage(context, steps[0]);
  return html`<div class="heading"><h1>Verdicts</h1></div>
<p class="lead">The gate judged each router on labelled cases before it served. These are its promises, and what each rests on.</p>
<div class="stack">${proofs(context).map((proof) => proofPanel(proof, nowMs))}${storePanel(context)}</div>`;
}

/** Profiles that share artifact and standing with the configuration itself are named with it. */
function proofs({ parts: { router, config } }: PageContext): ServedProof[] {
  const { artifact = STARTER_FOLDER, profiles } = config();
  const folderOf = (name: string) => profiles[name]?.artifact ?? artifact;
  const own = {
    name: 'Requests without a profile',
    artifact: router.artifact,
    standing: router.standing(),
    verdict: verdictIn(artifact, router.artifact.sha256),
  };
  const further = [...router.profiles]
    .map(([name, profile]) => ({
      name: `Profile ${name}`,
      artifact: profile.artifact,
      standing: profile.standing(),
      verdict: verdictIn(folderOf(name), profile.artifact.sha256),
    }))
    .filter(
      ({ artifact: { sha256 }, standing }) =>
        sha256 !== own.artifact.sha256 || JSON.stringify(standing) !== JSON.stringify(own.standing),
    );
  return [own, ...further];
}

function proofPanel(proof: ServedProof, nowMs: number): Html {
  const { name, artifact, verdict } = proof;
  return html`<section class="panel"><h2>${name}: ${artifact.name}</h2>
${worthHtml(proof, nowMs)}
${
  verdict === undefined
    ? html`<p>There is no verdict to read.</p>`
    : html`<p class="summary">${unbroken(verdictSummary(verdict))}</p><p><a class="button" href="/dashboard/verdicts/${artifact.sha256.slice(0, MARK_LENGTH)}">The report: pictures and conditions</a></p>`
}
</section>`;
}

/** What the verdict is worth now, when the gate issued it, and until when it counts. */
function worthHtml({ artifact, standing, verdict }: ServedProof, nowMs: number): Html {
  return html`<p class="statement">${standingHtml(standing)}</p>
${'why' in standing && html`<p>${standing.why}</p>`}
<p class="muted">${termWords(standing, verdict, nowMs)} Artifact <code>${artifact.sha256.slice(0, 12)}</code>.</p>`;
}

/** A verdict that counts for nothing was issued once all the same, and a PASS among them has a term. */
function termWords(standing: Standing, verdict: StoredVerdict | undefined, nowMs: number): string {
  const term = standing.kind === 'none' ? verdict && verdictTerm(verdict) : standing;
  if (term === undefined) return '';
  const at = (iso: string) => `${day(iso)} (${relative(Date.parse(iso), nowMs)})`;
  const judged = `Judged by the suite ${term.suite} on ${at(term.issued)}, with the threshold ${score(term.threshold)}.`;
  if (standing.kind === 'none' && verdict?.verdict !== 'PASS') return judged;
  const isOver = standing.kind === 'expired' || Date.parse(term.expires) <= nowMs;
  return `${judged} It ${isOver ? 'expired' : 'expires'} on ${at(term.expires)}.`;
}

const SIGNS: Readonly<Record<Standing['kind'], readonly [string, string, string]>> = {
  pass: ['good', '✓', 'PASS: the promise holds.'],
  stale: ['warning', '▲', 'PASS of other models than are served.'],
  expired: ['fault', '!', 'The PASS has expired.'],
  contradicted: ['fault', '!', 'Live requests speak against the PASS.'],
  none: ['fault', '!', 'No PASS.'],
};

function standingHtml({ kind }: Standing): Html {
  const [tone, sign, words] = SIGNS[kind];
  return html`<span class="${tone}"><span class="sign" aria-hidden="true">${sign}</span></span> ${words}`;
}

/** The report of the verdict that an artifact serves by. @param mark the first characters of the artifact's sha256 */
function reportPage(context: PageContext, mark: string): Html | undefined {
  const found = proofs(context).find(({ artifact }) => artifact.sha256.startsWith(mark));
  if (found?.verdict === undefined || mark.length < MARK_LENGTH) return undefined;
  const { verdict, artifact } = found;
  return html`<div class="heading"><h1>${VERDICT_SIGNS[verdict.verdict]} ${verdict.verdict}: ${artifact.name}</h1></div>
${worthHtml(found, context.nowMs)}
<p class="summary">${unbroken(verdictSummary(verdict))}</p>
<div class="panel">${verdictSections(verdict)}
<details><summary>As the gate wrote the conditions</summary><ul>${verdict.conditions.map((one) => html`<li>${conditionWords(one)}</li>`)}</ul></details></div>`;
}

function storePanel(context: PageContext): Part {
  const store = storeOf(context);
  if (store === undefined) return undefined;
  const { nowMs } = context;
  const artifacts = listArtifacts(store, new Date(nowMs));
  const history = (readCurrent(store)?.history ?? []).toReversed();
  const since = stepOf(store);
  const rows = artifacts.map((one) => artifactRow(one, since, context));
  return html`<section class="panel" id="store"><h2>What may serve: the artifacts in <code>${store}</code></h2>
${table('Artifacts', ['Artifact', 'Made', 'Threshold', 'Verdict', 'Serves', unseenHeading('Change')], rows)}
${rollBackForm(context, since, history.length)}
<h3>History</h3>
${table(
  'History',
  ['Since', 'Artifact', 'Manifest'],
  history.map(({ at, artifact, sha256 }) => [time(Date.parse(at)), artifact, sha256.slice(0, 12)]),
)}
</section>`;
}

/** The folder of artifacts of the configuration; undefined if it names one artifact. */
function storeOf({ parts }: Pick<PageContext, 'parts'>): string | undefined {
  const { artifact } = parts.config();
  if (artifact === undefined || existsSync(path.join(artifact, 'manifest.json'))) return undefined;
  return artifact;
}

/** @param since where the history stood when the page was made */
function artifactRow(artifact: StoredArtifact, since: string, context: PageContext): Part[] {
  const { folder, current } = artifact;
  if (artifact.kind === 'broken') {
    return [folder, DASH, DASH, html`<span class="wraps">${artifact.fault}</span>`, current ? 'yes' : '', ''];
  }
  const { created, threshold, standing } = artifact;
  const mayServe = standing.kind === 'pass' && !current && mayChange(context);
  const form =
    mayServe &&
    confirmedForm(context, {
      action: 'promote',
      fields: { artifact: folder, since },
      name: 'Promote',
      question: `${folder} serves all requests of this store from now on, without a restart.`,
      button: `Let ${folder} serve`,
    });
  return [
    folder,
    day(created),
    score(threshold),
    standing.kind,
    current ? html`<strong>yes</strong>` : '',
    form,
  ];
}

function mayChange({ visitor, parts }: PageContext): boolean {
  return visitor.formToken !== undefined && mayDo(visitor, 'operate') && parts.promotion !== undefined;
}

function rollBackForm(context: PageContext, since: string, steps: number): Part {
  if (steps < 2 || !mayChange(context)) return undefined;
  return confirmedForm(context, {
    action: 'rollback',
    fields: { since },
    name: 'Roll back',
    question: 'What served before the current artifact serves again.',
    button: 'Roll back',
  });
}

/** Where the history of a store stands. */
function stepOf(store: string): string {
  const { history = [] } = readCurrent(store) ?? {};
  return `${history.length} ${history.at(-1)?.artifact ?? ''}`;
}

/** If two people decide at once, the second has not seen what serves now. */
function unlessOthersChanged(store: string, form: URLSearchParams): () => void {
  return () => {
    if (form.get('since') === stepOf(store)) return;
    const serves = readCurrent(store)?.artifact ?? 'another artifact';
    throw new PlimsollError(
      'invalid-input',
      `Nothing was changed: since you loaded the page, somebody else made ${serves} serve. Look at it, and decide again.`,
    );
  };
}

/** Makes an artifact of the store the one that serves. */
export const promoteChange: DashboardChange = {
  path: 'promote',
  role: 'operate',
  subject: 'artifact',
  back: 'verdicts',
  async run(form, context) {
    confirmed(form);
    const { store, promotion } = changeable(context);
    const folder = form.get('artifact') ?? '';
    if (!listArtifacts(store, new Date()).some((one) => one.folder === folder)) {
      throw new PlimsollError('not-found', 'There is no such artifact in the store.');
    }
    const { artifact } = (await promotion()).promote(
      path.join(store, folder),
      new Date(),
      unlessOthersChanged(store, form),
    );
    return { kind: 'note', text: `${artifact} serves from now on; the server takes it over within seconds.` };
  },
};

/** Makes what served before serve again. */
export const rollbackChange: DashboardChange = {
  path: 'rollback',
  role: 'operate',
  back: 'verdicts',
  async run(form, context) {
    confirmed(form);
    const { store, promotion } = changeable(context);
    const { artifact } = (await promotion()).rollback(store, new Date(), unlessOthersChanged(store, form));
    return { kind: 'note', text: `${artifact} serves again; the server takes it over within seconds.` };
  },
};

function changeable(context: PageContext) {
  const store = storeOf(context);
  const { promotion } = context.parts;
  if (store !== undefined && promotion !== undefined) return { store, promotion };
  throw new PlimsollError(
    'invalid-input',
    'The configuration names one artifact, not a store of several: there is nothing to choose from here.',
  );
}
