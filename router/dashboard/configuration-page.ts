import { type Html, html, type Part } from '../markup.ts';
import type { PastReload } from '../reload-history.ts';
import { changesTable } from './changes-table.ts';
import { changePanel, confirmChangePage } from './configuration-change.ts';
import { time } from './format.ts';
import type { PageContext } from './page.ts';
import { originOf, type Setting, settingChanges, settings, usualSettings } from './settings.ts';
import { table } from './table.ts';

/** What is set and where it comes from, what every setting is now, and what the last reloads changed. */
export function configurationPage(context: PageContext): Html | undefined | Promise<Html> {
  const { parts, steps } = context;
  if (steps[0] !== undefined) return steps[0] === 'change' ? confirmChangePage(context) : undefined;
  const config = parts.config();
  const current = settings(config);
  const usual = usualSettings();
  const own = current.filter(({ field, value }) => usual.get(field) !== value);
  const row = (setting: Setting): Part[] => [
    html`<code>${setting.field}</code>`,
    html`<code class="wraps">${setting.value}</code>`,
    originOf(setting, config, usual),
  ];
  const heading = ['Field', 'Value', 'From'];
  const past = parts.reloads?.past() ?? [];
  return html`<div class="heading"><h1>Configuration</h1></div>
<p class="lead">What is set. It is changed in its file, which the server reads again by itself, and in part below by the role admin; a flag goes before an environment variable, that before the file, and the file before a default.</p>
${restartNotice(past)}
<section class="panel"><h2>What differs from the defaults</h2>${own.length === 0 ? html`<p>Nothing.</p>` : table('Set', heading, own.map(row))}</section>
<details class="statistics"><summary>All ${current.length} settings</summary>${table('All settings', heading, current.map(row))}</details>
<div class="stack">${changePanel(context)}
<section class="panel" id="reloads"><h2>The last reloads</h2>
<p class="muted">Those that changed something or were refused since this server was started, ten at most, the newest first. Who changed what on these pages is on the page Changes.</p>
${past.length === 0 ? html`<p>None yet.</p>` : past.map(reloadHtml)}</section></div>`;
}

/** Fields that the configuration has otherwise than the server was started with. */
function restartNotice(past: readonly PastReload[]): Part {
  const fields = past.find(({ ok }) => ok)?.needsRestart ?? [];
  if (fields.length === 0) return undefined;
  return html`<p class="notice fault" role="status">Changed, and in force after a restart: ${fields.join(', ')}. Below is what the file says about them.</p>`;
}

function reloadHtml({ at, ok, message, before, after, artifacts, needsRestart }: PastReload): Html {
  const [old, current] = artifacts;
  const artifact =
    old === current ? [] : [{ field: 'the artifact that serves', before: old, after: current }];
  const changes = [...artifact, ...(after === undefined ? [] : settingChanges(before, after))];
  const outcome = ok ? html`✓ taken over` : html`<span class="fault">! refused</span>`;
  return html`<h3>${time(Date.parse(at))}: ${outcome}</h3>
${!ok && html`<p>${message}</p><p class="muted">What served before serves on. ${after === undefined ? 'The file could not be read as a configuration, so what it would change is not known.' : ''}</p>`}
${needsRestart.length > 0 && html`<p class="muted">In force after a restart: ${needsRestart.join(', ')}.</p>`}
${changes.length > 0 && changesTable(`What the reload of ${new Date(at).toISOString()} changes`, changes)}`;
}
