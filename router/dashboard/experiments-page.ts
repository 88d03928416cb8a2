import { PlimsollError } from '../errors.ts';
import {
  type Canary,
  type Experiment,
  type ExperimentState,
  experimentNamed,
  experimentStanding,
  readLooks,
  readStates,
  startExperiment,
  stopExperiment,
} from '../experiments/index.ts';
import { type Html, html, type Part } from '../markup.ts';
import { COMMAND } from '../package.ts';
import type { State } from '../state/index.ts';
import { confirmed, confirmedForm } from './confirmed-form.ts';
import { resultsHtml } from './experiment-results.ts';
import { percent, relative, time } from './format.ts';
import type { DashboardChange, PageContext } from './page.ts';
import { mayDo } from './sessions.ts';
import { table } from './table.ts';

/** Moves that are shown, the last one first. */
const SHOWN_MOVES = 8;

/** How the experiments of the configuration stand, and what they came to. */
export async function experimentsPage(context: PageContext): Promise<Html> {
  const { experiments } = context.parts.config();
  const heading = html`<div class="heading"><h1>Experiments</h1></div>`;
  const state = stateOf(context);
  if (state === undefined)
    return html`${heading}${experiments.length === 0 ? undefinedHtml() : undecidedHtml()}`;
  const [states, looks] = await Promise.all([readStates(state.documents), readLooks(state.documents)]);
  const panels = await Promise.all(
    experiments.map((experiment) => {
      const { name } = experiment;
      return panel(context, { experiment, state: states.get(name)?.state, waits: looks.get(name) });
    }),
  );
  const left = [...states].filter(
    ([name, { state: own }]) => own.status !== 'stopped' && !experiments.some((one) => one.name === name),
  );
  return html`${heading}
${experiments.length === 0 ? undefinedHtml() : html`<p class="lead">Each compares ways of serving on your own traffic. An interval holds the true difference at all times together, so you may look as often as you like.</p>`}
<div class="stack">${panels}${left.map(([name, { state: own }]) => leftPanel(context, name, own))}</div>`;
}

/** The state that the instances share; undefined: no experiment can run here. */
function stateOf({ parts: { gateway } }: PageContext): State | undefined {
  const state = gateway?.state;
  return state === undefined || state.kind === 'memory' ? undefined : state;
}

function undefinedHtml(): Html {
  return html`<section class="panel"><h2>No experiment is defined</h2><p>Define one in the configuration. This one gives half of the conversations another profile, and compares failures, cost, time and feedback:</p>
<div class="code"><pre tabindex="0"><code>profiles:
  small: { ladder: { strong: openai/gpt-6-luna } }
decision_log: { to: state }
experiments:
  smaller:
    kind: split
    arms:
      now: { profile: default, weight: 0.5 }
      small: { profile: small, weight: 0.5 }</code></pre></div>
<p>It begins once somebody starts it: here, or with <code>${COMMAND} experiment start smaller</code>. A <code>canary</code> brings in a new profile step by step, and a <code>shadow</code> asks other models without anybody getting their replies.</p></section>`;
}

function undecidedHtml(): Html {
  return html`<section class="panel"><p>This server calls no models, so no request of its own is in an experiment. Look at the server that does, or run <code>${COMMAND} experiment status</code>.</p></section>`;
}

interface Shown {
  readonly experiment: Experiment;
  /** Undefined: it was never started. */
  readonly state: ExperimentState | undefined;
  /** Why a canary stays. */
  readonly waits: string | undefined;
}

async function panel(context: PageContext, { experiment, state, waits }: Shown): Promise<Html> {
  const { name } = experiment;
  const standing = experimentStanding(experiment, state);
  const troubles = context.parts.gateway?.health().troubles ?? [];
  const own = troubles.filter((text) => text.startsWith(`The experiment ${name} `));
  return html`<section class="panel" id="experiment-${name}"><h2>${name}: ${KINDS[experiment.kind]} of ${profileWords(experiment.profile)}</h2>
<p class="statement">${standingHtml(standing, own.length > 0)}${state && html` <small class="muted">since ${time(Date.parse(state.stage_since))} (${relative(Date.parse(state.stage_since), context.nowMs)})</small>`}</p>
${own.length > 0 && html`<ul class="notices">${own.map((text) => html`<li class="fault"><span class="sign" aria-hidden="true">!</span><div>${text}</div></li>`)}</ul>`}
${experiment.kind === 'canary' && state && stagesHtml(experiment, state)}
${experiment.kind === 'canary' && state?.status === 'running' && waits !== undefined && html`<p>It stays: ${waits}.</p>`}
${await resultsHtml(context, experiment, state)}
${state && movesHtml(name, state, experiment)}
${changesHtml(context, name, standing)}
</section>`;
}

const KINDS: Readonly<Record<Experiment['kind'], string>> = {
  split: 'a split',
  canary: 'a canary',
  shadow: 'a shadow',
};

function profileWords(profile: string): string {
  return profile === 'default' ? 'the requests without a profile' : `the profile ${profile}`;
}

type Standing = ReturnType<typeof experimentStanding>;

const STANDINGS: Readonly<Record<Standing, readonly [string, string, string]>> = {
  'not-started': ['muted', '○', 'Not started.'],
  running: ['good', '✓', 'Running.'],
  changed: ['warning', '▲', 'Paused: changed since it was started.'],
  stopped: ['muted', '○', 'Stopped.'],
  promoted: ['good', '✓', 'Promoted: the candidate has all requests.'],
  'rolled-back': ['fault', '!', 'Rolled back: the profile decides alone.'],
};

function standingHtml(standing: Standing, isPaused: boolean): Html {
  const isAtWork = standing === 'running' || standing === 'promoted';
  const [tone, sign, words] =
    isPaused && isAtWork ? (['warning', '▲', 'Paused.'] as const) : STANDINGS[standing];
  return html`<span class="${tone}"><span class="sign" aria-hidden="true">${sign}</span></span> ${words}`;
}

function stagesHtml({ stages }: Canary, { stage, status }: ExperimentState): Html {
  const isAt = status === 'running';
  return html`<p>Stage ${stage + 1} of ${stages.length}:</p><ol class="stages" aria-label="Shares of the stages">${stages.map(
    (share, i) =>
      html`<li${i === stage && isAt && html` aria-current="step"`}>${percent(share, share < 0.01 ? 2 : 0)}${i < stage && html`<span class="hidden"> passed</span>`}</li>`,
  )}</ol>`;
}

function movesHtml(name: string, { moves }: ExperimentState, { kind }: Experiment): Html {
  const isCanary = kind === 'canary';
  const rows = moves
    .slice(-SHOWN_MOVES)
    .toReversed()
    .map(({ at, status, stage, reason }): Part[] => [
      time(Date.parse(at)),
      status,
      ...(isCanary ? [stage === undefined ? '' : stage + 1] : []),
      html`<span class="wraps">${reason}</span>`,
    ]);
  const heading = ['Time', 'Then', ...(isCanary ? ['Stage'] : []), 'Why'];
  return html`<h3>Last moves</h3>${table(`Last moves of ${name}`, heading, rows)}`;
}

function mayChange({ visitor }: PageContext): boolean {
  return visitor.formToken !== undefined && mayDo(visitor, 'operate');
}

function changesHtml(context: PageContext, name: string, standing: Standing): Part {
  if (!mayChange(context)) return undefined;
  const isEnded = standing === 'not-started' || standing === 'stopped';
  return html`<div class="changes">${standing !== 'running' && startForm(context, name, standing)}${!isEnded && stopForm(context, name)}</div>`;
}

function startForm(context: PageContext, name: string, standing: Standing): Html {
  const isNew = standing === 'not-started';
  return confirmedForm(context, {
    action: 'start-experiment',
    fields: { experiment: name },
    name: isNew ? 'Start' : 'Start anew',
    question: `${name} begins${isNew ? '' : ' anew, and counts from nothing'}: within seconds every server of this configuration takes part.`,
    button: `Start ${name}`,
  });
}

function stopForm(context: PageContext, name: string): Html {
  return confirmedForm(context, {
    action: 'stop-experiment',
    fields: { experiment: name },
    name: 'Stop',
    question: `${name} ends: within seconds its profile decides alone again.`,
    button: `Stop ${name}`,
  });
}

/** What was started, and is in the configuration no more. */
function leftPanel(context: PageContext, name: string, { status, started_at: at }: ExperimentState): Html {
  return html`<section class="panel"><h2>${name}: not in the configuration any more</h2>
<p>It was started ${time(Date.parse(at))} and is ${status}; nothing takes part in it here.</p>
${mayChange(context) && stopForm(context, name)}</section>`;
}

/** As `plimsoll experiment start`. */
export const startExperimentChange: DashboardChange = {
  path: 'start-experiment',
  role: 'operate',
  subject: 'experiment',
  back: 'experiments',
  async run(form, context) {
    confirmed(form);
    const experiment = experimentNamed(form.get('experiment') ?? '', context.parts.config().experiments);
    await startExperiment(experiment, changeable(context), Date.now());
    return {
      kind: 'note',
      text: `${experiment.name} is started. Servers of this configuration follow within seconds.`,
    };
  },
};

/** As `plimsoll experiment stop`: what was started can be stopped, also once it is taken out of the configuration. */
export const stopExperimentChange: DashboardChange = {
  path: 'stop-experiment',
  role: 'operate',
  subject: 'experiment',
  back: 'experiments',
  async run(form, context) {
    confirmed(form);
    const name = form.get('experiment') ?? '';
    await stopExperiment(name, changeable(context), Date.now());
    return { kind: 'note', text: `${name} is stopped: within seconds its profile decides alone again.` };
  },
};

function changeable(context: PageContext): State {
  const state = stateOf(context);
  if (state !== undefined) return state;
  throw new PlimsollError(
    'invalid-input',
    'This server has no state that experiments could be kept in. Set state.kind to sqlite or postgres, and start it again.',
  );
}
