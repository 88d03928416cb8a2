import path from 'node:path';
import fc from 'fast-check';
import { parseHTML } from 'linkedom';
import { expect, test, vi } from 'vitest';
import { experimentsPage } from '../../router/dashboard/experiments-page.ts';
import type { PageContext } from '../../router/dashboard/page.ts';
import { openResultsDesk } from '../../router/experiment-results/index.ts';
import {
  openArrivalReports,
  readStates,
  startExperiment,
  stopExperiment,
} from '../../router/experiments/index.ts';
import { DECISIONS, openState } from '../../router/state/index.ts';
import { PRICED_MODELS } from '../gateway/running-gateway.ts';
import { dashboardServer, formToken, scratch, sendForm, signedIn, visit } from './dashboard-client.ts';
import { defined, EXPERIMENTS, layExperiments, splitRecord } from './experiment-records.ts';

const WAIT = { timeout: 40_000, interval: 200 };

function served(changes: object = {}) {
  return dashboardServer({
    state: { kind: 'sqlite', url: path.join(scratch(), 'state.db') },
    decision_log: { to: 'state' },
    models: PRICED_MODELS,
    profiles: { support: {}, old: {}, next: {} },
    experiments: EXPERIMENTS,
    allow_ungated: true,
    ...changes,
  });
}

type Server = Awaited<ReturnType<typeof dashboardServer>>;

async function shown({ url, keys }: Server, role: 'view' | 'operate' = 'view'): Promise<string> {
  const headers = await signedIn(url, keys[role].key);
  return (await visit(`${url}/dashboard/experiments`, { headers })).text();
}

test('arms, differences, moves, spending and the time of the reading', async () => {
  const server = await served();
  await layExperiments(server.gateway.state!);
  await vi.waitFor(async () => expect(await shown(server)).toContain('The log was read at'), WAIT);
  const text = await shown(server);
  const { document } = parseHTML(text);
  const pictures = [...document.querySelectorAll('svg.interval')].map((one) =>
    one.getAttribute('aria-label'),
  );
  expect(pictures).toContainEqual(
    expect.stringMatching(/^Cost, small minus now: −\$0\.00\d+, from .*; lower$/),
  );
  expect(pictures).toContainEqual(expect.stringMatching(/^Succeeded, small minus now: .*not decided/));
  const arms = document.querySelector('[aria-label="Table: Arms of smaller"]')?.textContent;
  expect(arms).toContain('50.0');
  expect(arms).toContain('200');
  expect(text).toContain('The arms have the shares that they were to have.');
  expect(document.querySelector('[aria-current="step"]')?.textContent).toContain('5');
  expect(text).toContain('stage 1 lasted &lt;b&gt;long');
  expect(text).toContain('$0.00 spent and $0.00 reserved of $5.00');
  expect(document.querySelector('[aria-label="Table: Models of dark"]')?.textContent).toContain(
    'first/large',
  );
  expect(text).not.toContain('start-experiment'); // who may only look is offered nothing
});

test('what waits for earlier requests is said', async () => {
  const server = await served();
  const { documents } = server.gateway.state!;
  const startMs = Date.now() - 3_600_000;
  const reports = openArrivalReports({ documents, flush: async () => {}, nowMs: () => startMs });
  await reports.begin();
  await layExperiments(server.gateway.state!);
  await vi.waitFor(async () => expect(await shown(server)).toContain('400 more have ended'), WAIT);
  await reports.close();
});

test('an alarm if the arms do not have their shares', async () => {
  const server = await served();
  const { state } = server.gateway;
  const startMs = Date.now() - 60_000;
  await startExperiment(defined('smaller'), state!, startMs);
  const records = Array.from({ length: 300 }, (_, i) => splitRecord(2 * i, startMs));
  await state!.log.append(DECISIONS, records);
  await vi.waitFor(async () => expect(await shown(server)).toContain('Alarm:'), WAIT);
});

test('start and stop, as the command does', async () => {
  const server = await served();
  const { url, keys, gateway } = server;
  const headers = await signedIn(url, keys.operate.key);
  const form = await formToken(url, headers);
  const statusOf = async (name: string) =>
    (await readStates(gateway.state!.documents)).get(name)?.state.status;
  async function changed(place: string, fields: Record<string, string>): Promise<string> {
    const response = await sendForm(url, `/dashboard/${place}`, { form, ...fields }, headers);
    expect(response.status).toBe(303);
    return (await visit(`${url}/dashboard/experiments`, { headers })).text();
  }
  expect(await changed('start-experiment', { experiment: 'smaller' })).toContain('not confirmed');
  expect(await statusOf('smaller')).toBeUndefined();
  expect(await changed('stop-experiment', { experiment: 'smaller', sure: 'yes' })).toContain(
    'was never started',
  );
  expect(await changed('start-experiment', { experiment: 'smaler', sure: 'yes' })).toContain(
    'Did you mean &quot;smaller&quot;?',
  );
  expect(await changed('start-experiment', { experiment: 'smaller', sure: 'yes' })).toContain(
    'smaller is started',
  );
  expect(await statusOf('smaller')).toBe('running');
  expect(await changed('start-experiment', { experiment: 'smaller', sure: 'yes' })).toContain(
    'has been running since',
  );
  expect(await changed('stop-experiment', { experiment: 'smaller', sure: 'yes' })).toContain(
    'smaller is stopped',
  );
  expect(await statusOf('smaller')).toBe('stopped');
  const logged = server.log
    .map((line) => JSON.parse(line))
    .filter(({ change }) => change === 'start-experiment');
  expect(logged.at(-1)).toMatchObject({ who: `key ${keys.operate.stored.id}`, outcome: 'refused' });
});

test('without experiments it says how to define one; what was taken out of the configuration can still be stopped', async () => {
  const server = await served({ experiments: {} });
  expect(await shown(server)).toContain('No experiment is defined');
  await startExperiment(defined('smaller'), server.gateway.state!, Date.now());
  expect(await shown(server, 'operate')).toContain('not in the configuration any more');
  await stopExperiment('smaller', server.gateway.state!, Date.now());
  expect(await shown(server, 'operate')).not.toContain('not in the configuration any more');
});

test('without a state it says so, and changes nothing', async () => {
  const server = await dashboardServer();
  expect(await shown(server)).toContain('No experiment is defined');
});

test('with the decision log in a file it names the command', async () => {
  const file = path.join(scratch(), 'decisions.jsonl');
  const { next: _, ...experiments } = EXPERIMENTS;
  const server = await served({ experiments, decision_log: { file } });
  await startExperiment(defined('smaller'), server.gateway.state!, Date.now());
  expect(await shown(server)).toContain('plimsoll -- experiment status smaller');
});

const TEXT = fc.constantFrom(
  '"><script>alert(1)</script>',
  "' onmouseover=alert(1) x='",
  '</td></table><img src=x onerror=alert(1)>',
  '&lt;b&gt;',
  '\u202eevil',
);

test('whatever experiments, arms, profiles, models and reasons are called, the page shows it as text', async () => {
  const state = await openState({ kind: 'sqlite', url: path.join(scratch(), 'state.db'), migrate: 'auto' });
  try {
    await fc.assert(
      fc.asyncProperty(TEXT, TEXT, async (name, other) => {
        const split = defined('smaller');
        if (split.kind !== 'split') throw new Error('not a split');
        const named = {
          ...split,
          name,
          profile: other,
          arms: split.arms.map((arm) => ({ ...arm, name: `${other}${arm.name}`, profile: other })),
        };
        await startExperiment(named, state, 0).catch(() => {}); // it runs from the last time
        await stopExperiment(name, state, 0, other);
        const experiments = [named];
        const gateway = {
          state,
          health: () => ({ troubles: [`The experiment ${name} is paused: ${other}`] }),
        };
        const text = await experimentsPage({
          parts: { gateway, config: () => ({ experiments, decisionLog: { to: 'state' } }) },
          visitor: { role: 'operate', name: 'x', formToken: 'y' },
          results: openResultsDesk(state),
          nowMs: 0,
        } as unknown as PageContext);
        const { document } = parseHTML(`<html><body>${text.text}</body></html>`);
        expect(document.querySelectorAll('script, img, iframe')).toHaveLength(0);
        for (const element of document.querySelectorAll('*'))
          for (const { name: attribute } of element.attributes) expect(attribute).not.toMatch(/^on|^style$/i);
      }),
      { numRuns: 20 },
    );
  } finally {
    await state.close();
  }
});
