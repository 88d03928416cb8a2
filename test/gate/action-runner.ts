import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../dist/scripts/cli.js', import.meta.url));

export interface ActionStep {
  readonly id?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly shell?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Comment {
  readonly id: number;
  readonly user: { readonly login: string };
  readonly body: string;
}

export interface ActionRun {
  /** Of the last script, as GitHub takes it where no earlier one failed. */
  readonly exitCode: number | null;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly comments: readonly Comment[];
  readonly stdout: string;
  /** With what `npx` was called. */
  readonly npx: string;
}

/** Runs what it is asked to run by the command line of this checkout, and writes down how it was called. */
const NPX = `#!/usr/bin/env bash
printf '%s\\n' "$*" > "$FAKE/npx.txt"
shift 3
exec "$FAKE_NODE" "$FAKE_CLI" "$@"
`;

/** The few calls of GitHub's command line that the action makes, over a file of comments. Its --jq is run by jq, where there is one. */
const GH = `#!/usr/bin/env node
const { readFileSync, writeFileSync } = require('node:fs');
const { spawnSync } = require('node:child_process');
const [command, ...args] = process.argv.slice(2);
if (process.env.FAKE_GH === 'denied') process.exit(1);
if (command !== 'api' || process.env.GH_TOKEN !== 'token-of-the-job') process.exit(98);
const file = process.env.FAKE + '/comments.json';
const comments = JSON.parse(readFileSync(file, 'utf8'));
const option = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
const method = option('--method') ?? 'GET';
const body = option('-F')?.replace(/^body=@/, '');
const target = args.find((one) => one.startsWith('repos/'));
const list = 'repos/owner/name/issues/7/comments';
if (method === 'GET' && target === list + '?per_page=100') {
  const { stdout, error } = spawnSync('jq', ['-r', option('--jq')], { input: JSON.stringify(comments) });
  const lines = comments.map((one) => one.id + ' ' + one.user.login + ' ' + one.body.split('\\n')[0] + '\\n');
  process.stdout.write(error ? lines.join('') : stdout);
} else if (method === 'POST' && target === list) {
  const text = readFileSync(body, 'utf8');
  comments.push({ id: comments.length + 1, user: { login: 'github-actions[bot]' }, body: text });
} else if (method === 'PATCH') {
  const one = comments.find(({ id }) => target === 'repos/owner/name/issues/comments/' + id);
  one.body = readFileSync(body, 'utf8');
} else process.exit(99);
writeFileSync(file, JSON.stringify(comments));
`;

/**
 * Runs the scripts of a composite action as GitHub does, in `folder`: bash -eo pipefail, inputs by their expressions. A run of the same
 * name finds the comments of the one before. Beside the action's own inputs: `comments` that are there, `gh: denied`.
 */
export function actionRunner(
  steps: readonly ActionStep[],
  defaults: Readonly<Record<string, { default?: string }>>,
  folder: string,
) {
  return async (name: string, given: Readonly<Record<string, string>>): Promise<ActionRun> => {
    const fake = fakeFolder(path.join(folder, `.${name}`), given['comments']);
    const inputs = Object.fromEntries(Object.entries(defaults).map(([key, one]) => [key, one.default ?? '']));
    const context = contextOf({ ...inputs, ...given }, fake);
    let [stdout, exitCode]: [string, number | null] = ['', null];
    for (const [index, step] of steps.entries()) {
      if (step.run === undefined || (step.env?.['GH_TOKEN'] && given['comment'] === 'false')) continue;
      const script = path.join(fake, `step-${index}.sh`);
      writeFileSync(script, step.run);
      const ended = await bash(script, folder, { ...surroundings(fake, given), ...valuesOf(step, context) });
      stdout += ended.stdout;
      exitCode = ended.code;
    }
    const read = (file: string) =>
      existsSync(path.join(fake, file)) ? readFileSync(path.join(fake, file), 'utf8') : '';
    const comments: Comment[] = JSON.parse(read('comments.json'));
    return {
      exitCode,
      outputs: outputsOf(fake),
      summary: read('summary.md'),
      comments,
      stdout,
      npx: read('npx.txt'),
    };
  };
}

function fakeFolder(fake: string, comments: string | undefined): string {
  mkdirSync(fake, { recursive: true });
  for (const file of ['summary.md', 'output.txt']) writeFileSync(path.join(fake, file), '');
  for (const [file, text] of Object.entries({ npx: NPX, gh: GH })) {
    writeFileSync(path.join(fake, file), text);
    chmodSync(path.join(fake, file), 0o755);
  }
  const known = path.join(fake, 'comments.json');
  if (comments !== undefined || !existsSync(known)) writeFileSync(known, comments ?? '[]');
  return fake;
}

type Context = (name: string) => string;

function contextOf(inputs: Readonly<Record<string, string>>, fake: string): Context {
  return (name) => {
    if (name === 'github.token') return 'token-of-the-job';
    if (name === 'github.event.pull_request.number') return '7';
    const [, kind, key] = /^(inputs|steps\.gate\.outputs)\.([a-z-]+)$/.exec(name)!;
    return (kind === 'inputs' ? inputs[key!] : outputsOf(fake)[key!]) ?? '';
  };
}

/** The environment of a step, its expressions put in: a name, or the first of several that is not empty. */
function valuesOf({ env = {} }: ActionStep, context: Context): Record<string, string> {
  const value = (expression: string) => expression.split('||').map((name) => context(name.trim()));
  const filled = (template: string) =>
    template.replace(/\$\{\{(.*?)\}\}/g, (_, expression: string) => value(expression).find(Boolean) ?? '');
  return Object.fromEntries(Object.entries(env).map(([name, template]) => [name, filled(template)]));
}

function surroundings(fake: string, given: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const home = path.dirname(process.execPath);
  return {
    PATH: `${fake}:${home}:${process.env['PATH']}`,
    FAKE: fake,
    FAKE_NODE: process.execPath,
    FAKE_CLI: CLI,
    FAKE_GH: given['gh'] ?? '',
    RUNNER_TEMP: fake,
    GITHUB_OUTPUT: path.join(fake, 'output.txt'),
    GITHUB_STEP_SUMMARY: path.join(fake, 'summary.md'),
    GITHUB_REPOSITORY: 'owner/name',
  };
}

function outputsOf(fake: string): Record<string, string> {
  const lines = readFileSync(path.join(fake, 'output.txt'), 'utf8').split('\n').filter(Boolean);
  return Object.fromEntries(lines.map((line) => line.split('=') as [string, string]));
}

function bash(
  script: string,
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<{ code: number | null; stdout: string }> {
  const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', script], { cwd, env });
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('utf8');
  });
  child.stderr.resume();
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout }));
  });
}
