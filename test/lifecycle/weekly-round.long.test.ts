import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { startWorld } from '../../scripts/example/world.ts';
import { CLI, cli, ended, startCli } from '../cli/run-cli.ts';
import { HAS_POSTGRES, postgresUrl } from '../helpers/databases.ts';
import { git, runJob, startGitHub } from './github.ts';

const run = promisify(execFile);
const scratch = mkdtempSync(path.join(tmpdir(), 'plimsoll-weekly-'));
const place = (...names: string[]) => path.join(scratch, ...names);
const FIRST = 1_500;
const LATER = 500;
const world = await startWorld({ requests: FIRST + 2 * LATER, seed: 5, port: 0 });
afterAll(async () => {
  await world.close();
  rmSync(scratch, { recursive: true, force: true });
});

const REPOSITORY = place('repository');
const AS_TEAM = ['-c', 'user.name=team', '-c', 'user.email=team@example.com'];
const github = await startGitHub(scratch);
const { origin: ORIGIN, artifact: ARTIFACT, pullRequests: PULL_REQUESTS } = github;

async function plimsoll(...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await cli(args, {
    cwd: REPOSITORY,
    env: { PLIMSOLL_DATABASE_URL: 'unused', OPENAI_API_KEY: 'a-key' },
  });
  expect(code, stdout + stderr).toBe(0);
}

/** A repository with a champion that has a PASS, as the team has committed it. */
async function makeRepository(): Promise<void> {
  for (const folder of ['repository/gate', 'repository/plimsoll'])
    mkdirSync(place(folder), { recursive: true });
  const write = (name: string, text: string) => writeFileSync(path.join(REPOSITORY, name), text);
  write('package.json', JSON.stringify({ name: 'product', dependencies: { plimsoll: 'file:plimsoll' } }));
  write(
    'plimsoll/package.json',
    JSON.stringify({ name: 'plimsoll', version: '0.0.1', type: 'module', bin: 'cli.js' }),
  );
  write('plimsoll/cli.js', `#!/usr/bin/env node\nawait import('${pathToFileURL(CLI).href}');\n`);
  chmodSync(path.join(REPOSITORY, 'plimsoll/cli.js'), 0o755);
  await run('npm', ['install', '--package-lock-only', '--offline'], { cwd: REPOSITORY });
  write('.gitignore', 'node_modules/\n');
  write(
    'plimsoll.config.yaml',
    `ladder: { cheap: example/small, strong: example/large }
providers:
  example: { kind: openai-compatible, base_url: '${world.providerUrl}', api_key_env: OPENAI_API_KEY }
models:
  example/small: { price: { input: 0.15, output: 0.6 } }
  example/large: { price: { input: 2.5, output: 10 } }
state: { kind: postgres, url_env: PLIMSOLL_DATABASE_URL }
default_policy: always-strong
capture: { share: 1 }
server: { port: 0 }
`,
  );
  write('gate/graders.yaml', `graders:\n  - use:\n      - { type: http, url: '${world.graderUrl}' }\n`);
  write('gate/suite.yaml', 'name: product\nmax_quality_loss: 0.06\n');
  const lines = world.requests
    .slice(0, FIRST)
    .map(({ prompt }, i) => JSON.stringify({ id: `r${i}`, prompt }));
  writeFileSync(place('prompts.jsonl'), `${lines.join('\n')}\n`);
  const how = ['--models', 'cheap,strong', '--graders', 'gate/graders.yaml', '--budget', '5usd'];
  await plimsoll('label', '--from', place('prompts.jsonl'), ...how, '--out', 'gate/first.jsonl');
  rmSync(path.join(REPOSITORY, 'gate/first.jsonl.journal'));
  const models = ['--cheap', 'example/small', '--strong', 'example/large', '--max-quality-loss', '0.06'];
  await plimsoll(
    'train',
    '--data',
    'gate/first.jsonl',
    ...models,
    '--learner',
    'lr',
    '--out',
    'models/first',
  );
  const judged = ['--suite', 'gate/suite.yaml', '--data', 'gate/first.jsonl'];
  await plimsoll('gate', '--artifact', 'models/first', ...judged);
  await plimsoll('promote', '--artifact', 'models/first');
  await git(REPOSITORY, 'init', '-q', '--initial-branch', 'main');
  await git(REPOSITORY, 'add', '.');
  await git(REPOSITORY, ...AS_TEAM, 'commit', '-qm', 'First');
  await git(REPOSITORY, 'push', '-q', ORIGIN, 'main');
}

/** Traffic through a gateway that captures all of it. */
async function traffic(databaseUrl: string, from: number): Promise<void> {
  const env = { PLIMSOLL_DATABASE_URL: databaseUrl, OPENAI_API_KEY: 'a-key' };
  const server = startCli(['serve', '--allow-ungated'], { cwd: REPOSITORY, env });
  const url = await new Promise<string>((resolve, reject) => {
    let text = '';
    for (const stream of [server.stdout, server.stderr])
      stream.on('data', (chunk) => {
        text += chunk;
        const address = /listens on (http:\S+?)"/.exec(text)?.[1];
        if (address !== undefined) resolve(address);
      });
    server.on('close', () => reject(new Error(text)));
  });
  const queue = world.requests.slice(from, from + LATER).values();
  const work = async () => {
    for (const { prompt } of queue) {
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          model: 'auto',
          max_tokens: 200,
          messages: [{ role: 'user', content: prompt }],
        }),
      });
      expect(response.status, await response.text()).toBe(200);
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  const end = ended(server);
  server.kill('SIGTERM');
  await end;
}

const lookLines = (text: string) => text.trim().split('\n').length;

test.runIf(HAS_POSTGRES)(
  'the weekly workflow: a budget, a challenger as a pull request, nothing new, and looks that count',
  {
    timeout: 900_000,
  },
  async () => {
    const databaseUrl = await postgresUrl();
    await makeRepository();
    await traffic(databaseUrl, FIRST);
    const patient: [string, string][] = [['--promote >', '--not-worse-by 0.05 --learner lr --promote >']];
    const committed = readFileSync(path.join(REPOSITORY, 'models/looks.jsonl'), 'utf8');

    const small = await runJob(github, 1, databaseUrl, [...patient, ['20usd', '0.002usd']]);
    expect(small, small.output).toMatchObject({ failed: undefined, code: '3' });
    expect(small.output).toContain('run it again to go on with round 1');
    expect(readdirSync(PULL_REQUESTS)).toEqual([]);
    const journal = readFileSync(path.join(ARTIFACT, 'round-1/cases.jsonl.journal'), 'utf8');
    expect(journal.length).toBeGreaterThan(1_000);

    const whole = await runJob(github, 2, databaseUrl, patient);
    expect(whole, whole.output).toMatchObject({ failed: undefined, code: '0' });
    expect(readFileSync(path.join(ARTIFACT, 'round-1/cases.jsonl.journal'), 'utf8')).toContain(
      journal.trimEnd(),
    );
    expect(readdirSync(PULL_REQUESTS)).toEqual(['plimsoll-loop-2']);
    const body = readFileSync(path.join(PULL_REQUESTS, 'plimsoll-loop-2'), 'utf8');
    expect(body).toMatch(
      /^The gate says PASS[\s\S]*```\n[\s\S]*PASS of loop-1[\s\S]*Promoted: models serves loop-1 from now on\.\n```\n$/,
    );
    expect(await git(ORIGIN, 'show', 'main:models/current.json')).toContain('"first"');
    expect(JSON.parse(await git(ORIGIN, 'show', 'plimsoll-loop-2:models/current.json')).artifact).toBe(
      'loop-1',
    );
    const proposed = (await git(ORIGIN, 'diff', '--name-only', 'main', 'plimsoll-loop-2')).split('\n');
    expect(
      proposed.every((file) => /^models\/(current\.json|looks\.jsonl|loop-1\/)/.test(file)),
      proposed.join(),
    ).toBe(true);

    // The pull request is not merged.
    const idle = await runJob(github, 3, databaseUrl, patient);
    expect(idle, idle.output).toMatchObject({ failed: undefined, code: '0' });
    expect(idle.output).toMatch(/0 requests are new[\s\S]*Nothing to propose/);
    expect(readdirSync(PULL_REQUESTS)).toHaveLength(1);

    await traffic(databaseUrl, FIRST + LATER);
    const kept = readFileSync(path.join(ARTIFACT, 'looks.jsonl'), 'utf8');
    expect(lookLines(kept)).toBe(lookLines(committed) + 2); // begun and finished

    rmSync(path.join(ARTIFACT, 'looks.jsonl'));
    const forgetful = await runJob(github, 4, databaseUrl, patient);
    expect(forgetful).toMatchObject({ code: '1', failed: expect.stringContaining('plimsoll loop') });
    expect(forgetful.output).toMatch(
      /round-1\/verdict\.json rests on the look [0-9a-f]{12}…, which models\/looks\.jsonl does not have/,
    );

    writeFileSync(path.join(ARTIFACT, 'looks.jsonl'), `${kept.slice(0, 100)}${randomUUID()}`);
    const split = await runJob(github, 5, databaseUrl, patient);
    expect(split.output).toContain('have both grown');
    expect(split).toMatchObject({ code: undefined, failed: expect.stringContaining('begins_with') });

    writeFileSync(path.join(ARTIFACT, 'looks.jsonl'), kept);
    writeFileSync(
      path.join(REPOSITORY, 'gate/suite.yaml'),
      'name: strict\nmax_quality_loss: 0.06\nescalation_rate: { min: 0.01, max: 0.1 }\n',
    );
    await git(REPOSITORY, ...AS_TEAM, 'commit', '-qam', 'A band that it cannot keep');
    await git(REPOSITORY, 'push', '-q', ORIGIN, 'main');
    const strict = await runJob(github, 6, databaseUrl, patient);
    expect(strict, strict.output).toMatchObject({
      failed: undefined,
      code: expect.stringMatching(/^1[01]$/),
    });
    expect(strict.output).toMatch(/^escalation-rate .* (?:INCONCLUSIVE|FAIL)$/m);
    expect(strict.output).toContain('Look 3 at these sealed cases');
    expect(strict.output).toContain('first stays, for the reasons above.');
    expect(readdirSync(PULL_REQUESTS)).toHaveLength(1);
    expect(readFileSync(path.join(ARTIFACT, 'looks.jsonl'), 'utf8').startsWith(kept)).toBe(true);
  },
);
