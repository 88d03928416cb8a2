import type { Config } from '../config/index.ts';
import { type Html, html } from '../markup.ts';
import { COMMAND } from '../package.ts';
import { ALWAYS_STRONG } from '../policy/index.ts';
import { shellWord } from '../shell-word.ts';
import type { DashboardParts } from './dashboard-parts.ts';

/** Whether every request that names no model goes to the strongest one by the configuration: nothing is routed, and nothing can be saved or lost. */
export function onlyMeasures({ router, config }: Pick<DashboardParts, 'router' | 'config'>): boolean {
  const { rules, profiles } = config();
  const isStrong = ({ defaultPolicy }: Pick<DashboardParts['router'], 'defaultPolicy'>) =>
    defaultPolicy.name === ALWAYS_STRONG.name;
  return (
    isStrong(router) &&
    [...router.profiles.values()].every(isStrong) &&
    rules.length === 0 &&
    Object.values(profiles).every((profile) => profile.rules.length === 0)
  );
}

/** What a server is for that routes nothing yet, and how to see what routing would do. */
export function measuringPanel(config: Config): Html {
  return html`<section class="panel" aria-labelledby="measuring"><h2 id="measuring">This server only measures</h2>
<p class="statement">Nothing is routed: <code>default_policy: ${ALWAYS_STRONG.name}</code> sends each request to the strongest model.</p>
${planWords(config)}
<p class="muted">To route, take <code>default_policy</code> out of the configuration, once a router has passed the gate.</p></section>`;
}

function planWords({ decisionLog, scoreAlways }: Config): Html {
  if (decisionLog === undefined || !scoreAlways) {
    const log = decisionLog === undefined && html`<code>decision_log: { file: decisions.jsonl }</code>`;
    const scores = !scoreAlways && html`<code>score_always: true</code>`;
    return html`<p>With ${log}${log && scores && ' and '}${scores} in the configuration <code>${COMMAND} plan</code> says what routing would do with such requests (docs/PLAN.md).</p>`;
  }
  return html`<p>What routing would have done with these requests says <code>${COMMAND} plan</code> (docs/PLAN.md); <code>routed.yaml</code> is a copy of the configuration without <code>default_policy</code>:</p>
<div class="code"><pre tabindex="0"><code>${COMMAND} plan --from ${shellWord(decisionLog.file ?? 'state')} --config routed.yaml</code></pre><button type="button" class="quiet" data-copy hidden>Copy</button></div>`;
}
