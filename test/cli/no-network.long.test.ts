import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LARGE, madeUpRows, SMALL, writeRows } from './made-up-data.ts';
import { CLI, cli, ended, scratchFolder, told } from './run-cli.ts';

const HAS_STRACE = spawnSync('strace', ['-V']).status === 0;
const SKIPPED = 'no strace (Debian: strace); PLIMSOLL_REQUIRE_STRACE=1 makes this a failure';

const RECORD = {
  schema_version: 1,
  time: '2026-11-01T00:00:00.000Z',
  requested_model: 'auto',
  selected: 'p/small',
  reason: 'fixed-policy',
  policy: { name: 'always-cheap', version: 1, sha256: '' },
};

/** What passed through a proxy that the environment names. */
const proxied: string[] = [];
let proxy: Server;

beforeAll(async () => {
  proxy = createServer((request, response) => {
    proxied.push(`${request.method} ${request.url}`);
    response.end();
  });
  proxy.on('connect', ({ url }: IncomingMessage, socket) => {
    proxied.push(`CONNECT ${url}`);
    socket.end('HTTP/1.1 503 Service Unavailable\r\n\r\n');
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
});
afterEach(() => proxied.splice(0));
afterAll(() => new Promise((resolve) => proxy.close(resolve)));

interface Watched {
  readonly child: ReturnType<typeof spawn> & ReturnType<typeof cliChild>;
  /** Folders and files in the home and the temporary folder, which begin empty. */
  readonly written: () => string[];
  /** System calls that reached for another machine, name servers included. Empty without strace. */
  readonly reached: () => string[];
}

function cliChild(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv) {
  return spawn(command, args, { cwd, env });
}

/** Starts `plimsoll` with an empty home, an empty temporary folder and a recording proxy, under strace if it is installed. */
function watch(args: readonly string[], cwd: string, home = 'home'): Watched {
  const base = scratchFolder();
  const trace = path.join(base, 'trace');
  const surroundings = path.join(base, 'surroundings');
  for (const folder of ['home', 'tmp']) mkdirSync(path.join(surroundings, folder), { recursive: true });
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const proxies = ['http_proxy', 'https_proxy', 'all_proxy'].flatMap((name) => [name, name.toUpperCase()]);
  const env = {
    PATH: process.env['PATH'],
    HOME: path.join(surroundings, home),
    TMPDIR: path.join(surroundings, 'tmp'),
    ...Object.fromEntries(proxies.map((name) => [name, url])),
  };
  const node = [process.execPath, CLI, ...args];
  const strace = [
    'strace',
    '-f',
    '--seccomp-bpf',
    '-qq',
    '-e',
    'trace=connect,sendto,sendmsg,sendmmsg',
    '-o',
    trace,
  ];
  const [command, ...rest] = HAS_STRACE ? [...strace, ...node] : node;
  return {
    child: cliChild(command!, rest, cwd, env),
    written: () => readdirSync(surroundings, { recursive: true }).map(String).sort(),
    reached: () =>
      existsSync(trace) ? readFileSync(trace, 'utf8').split('\n').filter(isOfAnotherMachine) : [],
  };
}

function isOfAnotherMachine(call: string): boolean {
  const address = /inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"/.exec(call);
  return address !== null && !/^(127\.|::1$|::ffff:127\.)/.test((address[1] ?? address[2])!);
}

function expectQuiet({ written, reached }: Watched, stderr: string): void {
  expect({ written: written(), reached: reached(), proxied }, stderr).toEqual({
    written: ['home', 'tmp'],
    reached: [],
    proxied: [],
  });
}

it('strace is there to see every connection', ({ skip }) => {
  if (HAS_STRACE) return;
  if (process.env['PLIMSOLL_REQUIRE_STRACE'] === '1') expect.fail(SKIPPED);
  skip(SKIPPED);
});

describe('no command reaches another machine or writes into the home or the temporary folder', () => {
  const folder = scratchFolder();
  const data = writeRows(folder, 'cases.jsonl', madeUpRows());
  const raw = path.join(folder, 'raw.jsonl');
  const suite = path.join(folder, 'suite.yaml');
  const [made, next, challenger, threads] = ['made', 'next', 'challenger', 'threads'].map((name) =>
    path.join(folder, 'models', name),
  ) as [string, string, string, string];
  const models = ['--cheap', SMALL, '--strong', LARGE];
  const share = ['--escalation-rate', '0.5'];
  const gated = ['--suite', suite, '--data', data];
  writeFileSync(suite, 'name: quiet\nmax_quality_loss: 0.9\n');
  writeFileSync(raw, '{}\n');
  const config = path.join(folder, 'plimsoll.config.yaml');
  writeFileSync(config, 'state: { kind: sqlite, url: state.db }\n');

  const provider = path.join(folder, 'provider.yaml');
  const graders = path.join(folder, 'graders.yaml');
  const shared = path.join(folder, 'shared.yaml');
  writeFileSync(shared, "redis: { url: 'redis://127.0.0.1:1' }\n");
  writeFileSync(
    provider,
    "providers: { p: { kind: openai-compatible, base_url: 'http://127.0.0.1:1/v1' } }\nmodels: { p/small: { price: { input: 1, output: 1 } }, p/large: { price: { input: 1, output: 1 } } }\n",
  );
  writeFileSync(graders, 'graders: [{ use: [{ type: refusal }] }]\n');
  const labelling = [
    '--models',
    'p/small,p/large',
    '--graders',
    graders,
    '--budget',
    '1usd',
    '--config',
    provider,
  ];

  // In this order: some need what an earlier one wrote. What each exits with is no matter here, but it must come as far as its work.
  const ruled = path.join(folder, 'rules.yaml');
  writeFileSync(ruled, 'rules: [{ name: one, use: cheap }]\n');
  const experimenting = path.join(folder, 'experiments.yaml');
  writeFileSync(
    experimenting,
    "providers: { p: { kind: openai-compatible, base_url: 'http://127.0.0.1:1/v1' } }\nprofiles: { next: {} }\ndecision_log: { to: state }\nstate: { kind: sqlite, url: experiments.db }\nexperiments: { try: { kind: canary, candidate: next } }\n",
  );
  const decisions = path.join(folder, 'decisions.jsonl');
  writeFileSync(decisions, `${JSON.stringify(RECORD)}\n`);
  const RUNS: readonly (readonly string[])[] = [
    ['train', '--data', data, ...models, '--out', made, ...share],
    ['train', '--data', data, ...models, '--out', threads, ...share, '--encoder', 'minilm'],
    ['assess', '--data', data, ...models],
    ['calibrate', '--artifact', made, '--data', data, '--out', next, ...share],
    ['gate', '--artifact', made, ...gated],
    ['retrain', '--champion', made, '--out', challenger, ...gated],
    ['route', 'Hi there'],
    ['route', 'Hi there', '--artifact', threads, '--allow-ungated'],
    ['inspect', made],
    ['artifacts', '--store', path.join(folder, 'models')],
    ['profiles', '--config', config],
    ['plan', '--from', decisions, '--config', config],
    [
      'design',
      '--data',
      data,
      '--models',
      `${SMALL},${LARGE}`,
      '--price',
      `${SMALL}=1/1`,
      `${LARGE}=9/9`,
      '--html',
      path.join(folder, 'design.html'),
    ],
    ['promote', '--artifact', made],
    ['rollback', '--store', path.join(folder, 'models')],
    ['sign', '--new-key', path.join(folder, 'gate')],
    ['keys', 'list', '--file', path.join(folder, 'keys.json')],
    ['state', 'status', '--config', config],
    ['prices', 'check'],
    ['rules', 'test', data, '--config', ruled],
    ['rules', 'decide', data, '--config', ruled, '--out', path.join(folder, 'chosen.jsonl')],
    ['doctor'],
    ['completion', 'bash'],
    ['demo', '--once', '--requests', '20', '--speed', '3600', '--port', '0'],
    [
      'init',
      '--yes',
      '--offline',
      '--out',
      path.join(folder, 'first.yaml'),
      '--base-url',
      'http://127.0.0.1:1/v1',
      '--cheap',
      '127-0-0-1/a',
      '--strong',
      '127-0-0-1/b',
    ],
    ['budget', '--config', config],
    ['experiment', 'start', 'try', '--config', experimenting],
    ['experiment', 'status', '--config', experimenting],
    ['experiment', 'stop', 'try', '--config', experimenting],
    ['dashboard', 'link', '--config', config, '--url', 'http://127.0.0.1:8787'],
    ['tasks', 'test', data],
    ['label', ...labelling, '--from', data, '--out', path.join(folder, 'labelled.jsonl'), '--dry-run'],
    [
      'loop',
      ...labelling,
      '--from',
      data,
      '--data',
      data,
      '--store',
      path.join(folder, 'models'),
      '--suite',
      suite,
      '--min-new',
      '100000',
      '--folder',
      path.join(folder, 'loop'),
    ],
    ['worker', '--config', shared],
    ['audit', '--cases', data, '--models', 'p/small,p/large', '--config', config],
    [
      'review',
      'write',
      '--cases',
      data,
      '--models',
      `${SMALL},${LARGE}`,
      '--out',
      path.join(folder, 'review.csv'),
    ],
    ['import', 'routerbench', raw, '--out', path.join(folder, 'imported.jsonl')],
  ];

  it.each(RUNS.map((args) => [args.slice(0, 1).join(' '), args] as const))(
    '%s',
    async (_, args) => {
      const watched = watch(args, folder);
      watched.child.stdin.end();
      const { code, stderr } = await ended(watched.child);
      expect([0, 1, 10, 11], stderr).toContain(code);
      expect(stderr).not.toContain('should not happen');
      expectQuiet(watched, stderr);
    },
    120_000,
  );

  it.each(['home', 'not-there'])(
    'serve, the home folder being %s; its log is JSON alone',
    async (home) => {
      const watched = watch(['serve', '--port', '0'], folder, home);
      const end = ended(watched.child);
      const [, url] = await told(watched.child, /listens on (http:[^"]*)"/);
      for (let i = 0; i < 20; i++) {
        const headers = { 'content-type': 'application/json' };
        const response = await fetch(`${url}/v1/route`, {
          method: 'POST',
          headers,
          body: '{"prompt":"Hi there"}',
        });
        expect(response.status).toBe(200);
        await response.arrayBuffer();
      }
      process.kill(nodeOf(watched.child), 'SIGTERM');
      const { stderr } = await end;
      for (const line of stderr.trim().split('\n')) expect(() => JSON.parse(line), line).not.toThrow();
      expectQuiet(watched, stderr);
    },
    60_000,
  );

  it('these are all commands', async () => {
    const { stdout } = await cli(['--help']);
    const listed = [...stdout.matchAll(/^ {2}([a-z]+) .*/gm)].map(([, name]) => name);
    const run = new Set(['help', 'serve', ...RUNS.map(([name]) => name!)]);
    expect(listed.filter((name) => !run.has(name!))).toEqual([]);
    expect(listed.length).toBeGreaterThan(10);
  });
});

describe('a worker thread', () => {
  const session = new URL('../../router/onnx/session.ts', import.meta.url).href;
  const program = `
    import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))}).then(async ({ register }) => {
      register();
      const { openSession } = await import(${JSON.stringify(session)});
      const { parentPort } = require('node:worker_threads');
      openSession(new Uint8Array(1)).catch(({ code, message }) => parentPort.postMessage({ code, message }));
    });`;
  const failureIn = (env: NodeJS.ProcessEnv) =>
    new Promise<{ code: string; message: string }>((resolve, reject) => {
      new Worker(program, { eval: true, env, execArgv: [] }).once('message', resolve).once('error', reject);
    });

  it('makes no session if its process did not switch telemetry off, and says how to', async () => {
    const { ORT_DISABLE_TELEMETRY: _, ...env } = process.env;
    const { code, message } = await failureIn(env);
    expect(code).toBe('invalid-config');
    expect(message).toContain('Set ORT_DISABLE_TELEMETRY=1');
  });

  it('makes one if the process did', async () => {
    expect((await failureIn({ ...process.env, ORT_DISABLE_TELEMETRY: '1' })).code).toBe('invalid-artifact');
  });
});

/** The process of node itself: strace passes no signal on. */
function nodeOf({ pid }: { readonly pid?: number | undefined }): number {
  if (!HAS_STRACE) return pid!;
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
}
