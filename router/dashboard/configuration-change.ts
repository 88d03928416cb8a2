import { servesWhatItLearned } from '../artifact/index.ts';
import {
  type Config,
  type ConfigEdit,
  type ConfigSource,
  configSource,
  editedText,
  fileMark,
  replaceConfig,
  whyNotWritable,
} from '../config/index.ts';
import { PlimsollError } from '../errors.ts';
import { readStates } from '../experiments/index.ts';
import { type Html, html, type Part } from '../markup.ts';
import { readYaml, YamlFault, type YamlFile } from '../yaml-file.ts';
import { changesTable } from './changes-table.ts';
import { confirmed, confirmedForm } from './confirmed-form.ts';
import type { DashboardParts } from './dashboard-parts.ts';
import { type Editable, type EditableGroup, editableGroups } from './editable.ts';
import type { DashboardChange, PageContext } from './page.ts';
import { mayDo } from './sessions.ts';
import { type SettingChange, settingChanges } from './settings.ts';

/** The file as it is now, if it may be changed here. */
interface OpenFile {
  readonly file: string;
  readonly source: ConfigSource;
  readonly yaml: YamlFile;
  /** What the file says now: it may be on its way to be served. */
  readonly config: Config;
  readonly groups: readonly EditableGroup[];
}

/** @returns a sentence if the file cannot be changed here */
function openFile({ config, reloads }: DashboardParts): OpenFile | string {
  const source = configSource(config());
  const { file } = source ?? {};
  if (source === undefined || file === undefined || reloads === undefined)
    return 'This server was not started from a configuration file, so there is none to change.';
  const { instances } = config();
  if (instances > 1)
    return `There are ${instances} instances, and each reads its own file: change it where they are deployed from.`;
  try {
    const yaml = readYaml(file);
    const current = source.parse(yaml.text);
    return whyNotWritable(file) ?? { file, source, yaml, config: current, groups: editableGroups(yaml) };
  } catch (error) {
    const why =
      error instanceof YamlFault || error instanceof PlimsollError ? error.message : 'it cannot be read';
    return `${file} is no configuration as it is now, so nothing of it is changed here: ${why}`;
  }
}

/** Forms for what may be changed, or why nothing may. */
export function changePanel({ parts, visitor }: PageContext): Part {
  if (visitor.formToken === undefined || !mayDo(visitor, 'admin')) return undefined;
  const open = openFile(parts);
  if (typeof open === 'string')
    return html`<section class="panel" id="change"><h2>Change</h2><p>${open}</p></section>`;
  return html`<section class="panel" id="change"><h2>Change</h2>
<p class="muted">Models of the ladder, weights and amounts of limits, as ${open.file} has them. You see what would change before anything is written. Everything else is changed in the file.</p>
${open.groups.length === 0 ? html`<p>The file has none of them.</p>` : open.groups.map(groupForm)}</section>`;
}

function groupForm({ title, items }: EditableGroup, group: number): Html {
  return html`<details class="confirm"><summary>${title}</summary><form method="get" action="/dashboard/configuration/change" class="fields">
${items.map((item, at) => {
  const id = `change-${group}-${at}`;
  return html`<label for="${id}">${item.label}</label><input id="${id}" name="${nameOf(item)}" value="${item.value}" required maxlength="200" autocomplete="off">`;
})}
<button>Show what would change</button></form></details>`;
}

/** Places have dots in their steps. */
function nameOf({ place }: Pick<Editable, 'place'>): string {
  return JSON.stringify(place);
}

interface PlannedChange {
  readonly text: string;
  readonly edits: readonly ConfigEdit[];
  readonly changes: readonly SettingChange[];
  readonly warnings: readonly string[];
}

/** @throws PlimsollError to say why it cannot be changed so */
async function planned(
  open: OpenFile,
  given: URLSearchParams,
  parts: DashboardParts,
): Promise<PlannedChange> {
  const edits: ConfigEdit[] = [];
  const warnings: string[] = [];
  for (const { items, experiment } of open.groups)
    for (const item of items) {
      const written = given.get(nameOf(item))?.trim();
      if (written === undefined || written === String(item.value)) continue;
      edits.push({ place: item.place, value: givenValue(item, written) });
      if (item.kind === 'model') warnings.push(...staleWarnings(item, written, parts));
      if (experiment !== undefined) await requireStopped(experiment, parts);
    }
  if (edits.length === 0)
    throw new PlimsollError('invalid-input', 'Nothing was changed: all values are as they are in the file.');
  const text = editedText(open.yaml, edits);
  const changes = settingChanges(open.config, open.source.parse(text));
  return { text, edits, changes, warnings };
}

function givenValue({ kind, label }: Editable, written: string): string | number {
  if (kind !== 'weight') {
    if (written !== '') return written;
    throw new PlimsollError('invalid-input', `Nothing was changed: "${label}" is empty.`);
  }
  if (/^\d{1,7}(?:\.\d{1,9})?$|^\.\d{1,9}$/.test(written)) return Number(written);
  throw new PlimsollError('invalid-input', `Nothing was changed: "${label}" must be a number, such as 0.5.`);
}

/** What the gate proved is of the models that the router learned from. */
function staleWarnings({ place }: Editable, model: string, { router }: DashboardParts): string[] {
  const [first, name] = place;
  const profile = first === 'profiles' ? String(name) : undefined;
  const candidate = place.at(-1) === 'model' ? place.at(-2) : place.at(-1);
  const rungs = profile === undefined ? router.ladder : (router.profiles.get(profile)?.rungs ?? []);
  const rung = rungs.find((one) => one.candidate === candidate);
  if (rung === undefined || servesWhatItLearned({ ...rung, model })) return [];
  return [
    `${rung.candidate} learned from ${rung.learnedFrom}. With ${model} in its place the router is stale: its scores are a guess, and decisions say so in place of PASS until the gate has judged an artifact that learned from ${model}.`,
  ];
}

/** A split whose definition changes while it runs would pause. */
async function requireStopped(name: string, { gateway }: DashboardParts): Promise<void> {
  const states = gateway?.state && (await readStates(gateway.state.documents));
  if (states?.get(name)?.state.status !== 'running') return;
  throw new PlimsollError(
    'conflict',
    `Nothing was changed: ${name} is running, and its results are of the weights that it was started with. Stop it first.`,
  );
}

/** What would change, to be confirmed. */
export async function confirmChangePage(context: PageContext): Promise<Html> {
  const { parts, query } = context;
  const heading = html`<div class="heading"><h1>Change the configuration</h1></div>`;
  const back = html`<p><a href="/dashboard/configuration#change">Back to the configuration</a></p>`;
  const open = openFile(parts);
  if (typeof open === 'string') return html`${heading}<section class="panel"><p>${open}</p>${back}</section>`;
  try {
    const { edits, changes, warnings } = await planned(open, query, parts);
    const fields = Object.fromEntries(edits.map(({ place, value }) => [nameOf({ place }), String(value)]));
    return html`${heading}<section class="panel"><h2>What would change in <code>${open.file}</code></h2>
${changesTable('What would change', changes)}
${warnings.map((text) => html`<p class="notice fault" role="alert">${text}</p>`)}
${confirmedForm(context, {
  action: 'change-configuration',
  fields: { file: fileMark(open.yaml.text), ...fields },
  name: 'Write it',
  question: 'The file is replaced, and the server reads it at once. If it is refused, the file is put back.',
  button: 'Change the configuration',
})}${back}</section>`;
  } catch (error) {
    if (!(error instanceof PlimsollError) || error.code === 'internal') throw error;
    return html`${heading}<section class="panel"><p class="notice fault" role="alert">${error.message}</p>${back}</section>`;
  }
}

/** One at a time in this process: the reload of one is over before the next one reads the file. */
let changing: Promise<unknown> = Promise.resolve();

/** Writes the file, and waits until the server has taken it over or refused it. */
export const configurationChange: DashboardChange = {
  path: 'change-configuration',
  role: 'admin',
  back: 'configuration',
  run(form, { parts }) {
    confirmed(form);
    const done = changing.then(() => write(form, parts));
    changing = done.catch(() => {});
    return done;
  },
};

async function write(form: URLSearchParams, parts: DashboardParts) {
  const open = openFile(parts);
  if (typeof open === 'string') throw new PlimsollError('invalid-input', `Nothing was changed. ${open}`);
  const { file, yaml } = open;
  if (fileMark(yaml.text) !== form.get('file'))
    throw new PlimsollError(
      'conflict',
      `Nothing was written: somebody changed ${file} meanwhile. Look at it again.`,
    );
  const { text, changes } = await planned(open, form, parts);
  replaceConfig(file, yaml.text, text);
  const { ok, message } = await parts.reloads!.reload();
  if (!ok) {
    const put = putBack(file, text, yaml.text);
    return {
      kind: 'fault',
      text: `The server refused it, and what served before serves on: ${message} ${put}`,
    } as const;
  }
  const words = changes.map(
    ({ field, before, after }) => `${field}: ${after ?? 'gone'} (was ${before ?? 'not set'})`,
  );
  return { kind: 'note', text: `Written to ${file}, and in force: ${words.join('; ')}.` } as const;
}

/** A configuration that cannot be opened would stop the next start. */
function putBack(file: string, written: string, before: string): string {
  try {
    replaceConfig(file, written, before);
    return `${file} is as it was before.`;
  } catch (error) {
    const why = error instanceof PlimsollError ? error.message : 'it cannot be written';
    return `${file} could not be put back: ${why}`;
  }
}
