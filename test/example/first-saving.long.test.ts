import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, expect, test } from 'vitest';
import { freePort } from '../../scripts/bench/database-servers.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-first-saving-'));
const running: ChildProcess[] = [];
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** The commands of the page, in order. */
const COMMANDS = [
  ...readFileSync(path.join(ROOT, 'docs/FIRST-SAVING.md'), 'utf8').matchAll(/^```sh\n([\s\S]*?)^```/gm),
].flatMap(([, block]) => block!.replaceAll('\\\n', ' ').trim().split('\n'));
const [ports] = await Promise.all([Promise.all([freePort(), freePort()])]);
/** The page's words, as they run here: other ports, the built command, the checkout's example. */
const TSX = path.join(ROOT, 'node_modules/tsx/dist/loader.mjs');
const EXAMPLE = `node --import ${TSX} ${ROOT}/scripts/example.ts --port ${ports[0]} --gateway-port ${ports[1]}`;

function start(command: string): ChildProcess {
  const line = command
    .replace(/^npm run -s example(?: --)?/, EXAMPLE)
    .replace(/^plimsoll/, `node ${ROOT}/dist/scripts/cli.js`);
  const child = spawn('bash', ['-c', `exec ${line}`], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  return child;
}

async function run(command: string): Promise<string> {
  const child = start(command);
  const [stdout, stderr] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    once(child, 'close'),
  ]);
  expect(child.exitCode, stderr).toBe(0);
  return stdout;
}

interface Readiness {
  readonly status: string;
  readonly watch?: { readonly drift: { readonly requests: number; readonly e_value: number } };
}

async function readyz(): Promise<Readiness> {
  return (await fetch(`http://127.0.0.1:${ports[1]}/readyz`)).json() as Promise<Readiness>;
}

async function serve(command: string): Promise<ChildProcess> {
  const child = start(command);
  await expect
    .poll(
      () =>
        readyz().then(
          ({ status }) => status,
          () => 'away',
        ),
      { timeout: 60_000 },
    )
    .toBe('ready');
  return child;
}

const figures = (line: string) =>
  [...line.matchAll(/\d+\.\d+/g)].map(Number) as [right: number, small: number, usd: number];

test('the way from no label to a certified and watched policy, as the page has it', {
  timeout: 1_800_000,
}, async () => {
  const [example, capture, traffic, keep, label, train, gate, routed, later, ...watched] = COMMANDS;
  const [keepLater, labelLater, audit, promote, keepNew, loop] = watched;
  expect(COMMANDS).toHaveLength(15);
  expect(COMMANDS.indexOf(routed!), 'commands until it is served').toBe(7);
  await once(start(example!).stdout!, 'data');
  const before = await serve(capture!);
  const [rightBefore, smallBefore, usdBefore] = figures(await run(traffic!));
  expect([rightBefore, smallBefore, usdBefore]).toEqual([0.966, 0, 0.2438]);
  await run(keep!);
  expect(await run(label!)).toContain(
    '3000 of 3000 rows have all labels. 3000 calls and 3000 recorded replies',
  );
  await run(train!);
  expect(await run(gate!)).toMatch(/^PASS /m);
  before.kill('SIGTERM');
  await once(before, 'close');
  const first = await serve(routed!);
  const [right, small, usd] = figures(await run(later!));
  expect(right).toBeGreaterThan(rightBefore - 0.03);
  expect(small).toBeGreaterThan(0.6);
  expect(usd).toBeLessThan(0.55 * usdBefore);
  const { watch } = await readyz();
  expect(watch!.drift.requests).toBe(3_000);
  expect(
    watch!.drift.e_value,
    'an alarm may be false in one run of twenty, this in one of ten thousand',
  ).toBeLessThan(10_000);
  await run(keepLater!);
  await run(labelLater!);
  expect(await run(audit!)).toMatch(/^\d{2,} audits are recorded/);
  await expect.poll(readyz, { timeout: 20_000 }).toMatchObject({
    watch: { audits: { contradictions: 0 } },
  });
  await run(promote!);
  first.kill('SIGTERM');
  await once(first, 'close');
  const config = path.join(folder, 'first-saving/routed.yaml');
  const text = readFileSync(config, 'utf8');
  writeFileSync(config, text.replace('models/first', 'models').replace('share: 0.1', 'share: 1'));
  await serve(routed!);
  await run(later!);
  await run(keepNew!);
  expect(await run(loop!)).toMatch(/^PASS of loop-1 [\s\S]*Promoted: first-saving\/models serves loop-1/m);
});
