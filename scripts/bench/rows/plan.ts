import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { configSchema } from '../../../router/config/index.ts';
import { createRouter } from '../../../router/create-router.ts';
import { recordedArtifact } from '../../../router/records/index.ts';
import { seededRandom } from '../../../router/statistics/index.ts';
import { type BenchContext, type Row, spread } from '../measurement.ts';
import { commandLine, type FinishedProcess, runProcess } from '../processes.ts';

const ROUNDS = 3;
const RECORDS = 1_000_000;
const PARSE = fileURLToPath(new URL('../children/parse-lines.ts', import.meta.url));
const AT_ONCE = 1_000;

/** JSON is YAML, too. */
const CHANGED = JSON.stringify({
  ladder: { cheap: 'fake/small', strong: 'fake/large' },
  providers: { fake: { kind: 'openai-compatible', base_url: 'http://127.0.0.1:9/v1' } },
  models: {
    'fake/small': { price: { input: 0.1, output: 0.4 } },
    'fake/large': { price: { input: 3, output: 12 } },
  },
  allow_ungated: true,
  policies: { changed: { threshold: 0.1, version: 1 } },
  default_policy: 'changed',
  limits: [{ for: { provider: 'fake' }, windows: [{ '1m': '600 requests' }, { '24h': '20 usd' }] }],
});

/** `plimsoll plan` over a million recorded decisions, beside a process that only parses their lines. */
export async function planMillion({ say }: BenchContext): Promise<readonly Row[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-plan-'));
  try {
    const file = path.join(folder, 'decisions.jsonl');
    say(`plan: writing ${RECORDS} records ...`);
    await writeRecords(file);
    const config = path.join(folder, 'changed.yaml');
    writeFileSync(config, CHANGED);
    const { what, args } = commandLine('plan');
    const runs: FinishedProcess[] = [];
    const floors: FinishedProcess[] = [];
    const loads: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      say(`plan, round ${round + 1} of ${ROUNDS} ...`);
      runs.push(await runProcess([...args, '--from', file, '--config', config, '--json']));
      floors.push(await runProcess(['--import', 'tsx', PARSE, file]));
      loads.push(loadavg()[0]!);
    }
    const { requests, flipped } = JSON.parse(runs[0]!.stdout) as { requests: number; flipped: number };
    const megabytes = Math.round(statSync(file).size / 1e6);
    const cpu = (those: readonly FinishedProcess[]) =>
      those.map(({ cpuSeconds = Number.NaN }) => cpuSeconds.toFixed(1)).join(', ');
    const notes = [
      `${what}; ${megabytes} MB of ${requests} synthetic records; ${flipped} of them flip`,
      `processor time ${cpu(runs)} s, of the peer ${cpu(floors)} s; load average ${loads.map((one) => one.toFixed(1)).join(', ')}`,
    ];
    const row = (of: 'seconds' | 'maxRssMb', required: number): Row => ({
      name: of === 'seconds' ? 'plan, time' : 'plan, memory',
      what: `${RECORDS} recorded decisions under a changed configuration`,
      unit: of === 'seconds' ? 's' : 'MB',
      value: spread(runs.map((run) => run[of])),
      samples: RECORDS,
      peer: { what: 'parsing their lines alone', value: spread(floors.map((floor) => floor[of])) },
      ratio: null,
      target: { of: 'value', is: 'at most', required },
      notes,
    });
    return [row('seconds', 30), row('maxRssMb', 500)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Records as the gateway writes them, of the starter, with made-up scores and tokens. */
async function writeRecords(file: string): Promise<void> {
  const router = await createRouter(configSchema.parse({}));
  const artifact = recordedArtifact(router.artifact);
  const policy = { name: 'default', version: 1, sha256: artifact.repeat(6).slice(0, 64) };
  await router.close();
  const random = seededRandom(1);
  const out = openSync(file, 'w');
  for (let i = 0; i < RECORDS; i += AT_ONCE) {
    const lines = Array.from({ length: AT_ONCE }, (_, at) => recordOf(i + at, random, artifact, policy));
    writeSync(out, `${lines.join('\n')}\n`);
  }
  closeSync(out);
}

function recordOf(i: number, random: () => number, artifact: string, policy: object): string {
  const cheap = Math.fround(0.4 + 0.6 * random());
  const strong = Math.fround(0.9 + 0.1 * random());
  const isKept = strong - cheap <= 0.224;
  const model = isKept ? 'fake/small' : 'fake/large';
  const ms = Math.round(1e6 * random()) / 1e3;
  return JSON.stringify({
    schema_version: 1,
    time: new Date(Date.UTC(2026, 10, 1) + i * 1_000).toISOString(),
    id: `dec_${i}`,
    dialect: 'openai',
    operation: 'chat',
    stream: false,
    requested_model: 'auto',
    selected: model,
    served: model,
    reason: isKept ? 'within-threshold' : 'over-threshold',
    candidate: isKept ? 'cheap' : 'strong',
    policy,
    artifact,
    verdict: 'stale',
    ungated_reason: 'other-models',
    scores: { cheap, strong },
    predicted_loss: strong - cheap,
    threshold: 0.224,
    attempts: [{ model, kind: 'first', outcome: 'answer', status: 200, ms }],
    status: 200,
    ended: 'whole',
    usage: { input_tokens: 1 + Math.floor(2_000 * random()), output_tokens: 1 + Math.floor(500 * random()) },
    cost_usd: 0.001,
    baseline_cost_usd: 0.002,
    random_cost_usd: 0.0015,
    overhead_ms: 0.2,
    upstream_ms: ms,
    first_byte_ms: ms,
    duration_ms: ms,
    session: { id: `s${i % 200_000}`, source: 'inferred', transition: 'initialize' },
  });
}
