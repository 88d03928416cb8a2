import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const run = promisify(execFile);
const WORKFLOW = path.resolve(import.meta.dirname, '../../examples/github-actions/plimsoll-loop.yml');

export const git = async (cwd: string, ...args: string[]) => (await run('git', args, { cwd })).stdout.trim();

const step = z.strictObject({
  id: z.string().optional(),
  if: z.string().optional(),
  uses: z.string().optional(),
  with: z.record(z.string(), z.unknown()).optional(),
  env: z.record(z.string(), z.string()).optional(),
  run: z.string().optional(),
});
const workflow = z.strictObject({
  name: z.string(),
  on: z.strictObject({
    schedule: z.tuple([z.strictObject({ cron: z.string().regex(/^(\S+ ){4}\S+$/) })]),
    workflow_dispatch: z.null(),
  }),
  permissions: z.strictObject({
    actions: z.literal('read'),
    contents: z.literal('write'),
    'pull-requests': z.literal('write'),
  }),
  concurrency: z.string(),
  jobs: z.strictObject({
    round: z.strictObject({
      'runs-on': z.string(),
      'timeout-minutes': z.number().max(360), // GitHub ends a job after six hours
      env: z.record(z.string(), z.string()),
      steps: z.array(step),
    }),
  }),
});

/** A remote, and what GitHub keeps. */
export interface GitHub {
  readonly folder: string;
  /** A bare repository. */
  readonly origin: string;
  /** What the jobs have uploaded last. */
  readonly artifact: string;
  /** The body of each pull request, by the name of its branch. */
  readonly pullRequests: string;
}

/** @param folder of its own */
export async function startGitHub(folder: string): Promise<GitHub> {
  const place = (name: string) => path.join(folder, name);
  const github = {
    folder,
    origin: place('origin.git'),
    artifact: place('artifact'),
    pullRequests: place('pull-requests'),
  };
  mkdirSync(github.pullRequests);
  mkdirSync(place('bin'));
  writeFileSync(place('bin/gh'), ghCommand(github), { mode: 0o755 });
  await git(folder, 'init', '-q', '--bare', '--initial-branch', 'main', github.origin);
  return github;
}

/** Stands for GitHub's command: keeps the artifact in a folder, and writes down pull requests. */
const ghCommand = ({ artifact, pullRequests }: GitHub) => `#!/usr/bin/env bash
set -eu
test "$GH_TOKEN" = a-token
case "$1 $2" in
  'api repos/team/product/actions/artifacts?name=plimsoll-loop&per_page=1') if [ -d '${artifact}' ]; then echo 100; fi ;;
  'run download') test "$3 $4 $5 $6" = '100 --name plimsoll-loop --dir'; mkdir -p "$7"; cp -r '${artifact}/.' "$7" ;;
  'pr create') test "$3 $5" = '--title --body-file'; cp "$6" '${pullRequests}/'"$(git branch --show-current)" ;;
  *) echo "gh: unexpected: $*" >&2; exit 1 ;;
esac
`;

export interface Job {
  /** The first step that failed. */
  readonly failed: string | undefined;
  readonly output: string;
  /** Of the loop. */
  readonly code: string | undefined;
}

/**
 * What GitHub would do: a fresh checkout, then each step by `bash -e`.
 * @param changes of the text of the workflow, from and to
 */
export async function runJob(
  { folder, origin, artifact }: GitHub,
  id: number,
  databaseUrl: string,
  changes: readonly (readonly [string, string])[],
): Promise<Job> {
  const place = (name: string) => path.join(folder, name);
  const text = changes.reduce(
    (whole, [from, to]) => {
      expect(whole).toContain(from);
      return whole.replaceAll(from, to);
    },
    readFileSync(WORKFLOW, 'utf8'),
  );
  const { round } = workflow.parse(parse(text)).jobs;
  const checkout = place(`job-${id}`);
  const values: Record<string, string> = {
    'github.token': 'a-token',
    'github.run_id': `${id}`,
    'secrets.PLIMSOLL_DATABASE_URL': databaseUrl,
    'secrets.PLIMSOLL_STATE_KEYS': '',
    'secrets.OPENAI_API_KEY': 'a-key',
  };
  const filled = (template: string) =>
    template.replace(/\$\{\{ (\S+) \}\}/g, (_, name: string) => {
      expect(values, name).toHaveProperty([name]);
      return values[name]!;
    });
  const env = (more: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(Object.entries(more).map(([name, value]) => [name, filled(value)]));
  const outputs = place(`outputs-${id}`);
  writeFileSync(outputs, '');
  const codeOf = () => /^code=(\d+)$/m.exec(readFileSync(outputs, 'utf8'))?.[1];
  let failed: string | undefined;
  let output = '';
  for (const { if: condition, uses, with: input, env: own, run: script } of round.steps) {
    const isDue = {
      undefined: failed === undefined,
      "always() && hashFiles('gate/loop/**') != ''": existsSync(path.join(checkout, 'gate/loop')),
      "steps.loop.outputs.code == '0'": failed === undefined && codeOf() === '0',
    }[`${condition}`];
    expect(isDue, condition).toBeDefined();
    if (!isDue) continue;
    if (script !== undefined) {
      const file = place('step.sh');
      writeFileSync(file, filled(script));
      const done = await run('bash', ['-e', file], {
        cwd: checkout,
        env: {
          ...process.env,
          PATH: `${place('bin')}:${process.env['PATH']}`,
          GITHUB_REPOSITORY: 'team/product',
          GITHUB_OUTPUT: outputs,
          ...env(round.env),
          ...env(own),
        },
      }).catch((error: { stdout: string; stderr: string }) => {
        failed = script;
        return error;
      });
      output += done.stdout + done.stderr;
    } else if (uses?.startsWith('actions/checkout@')) await git(folder, 'clone', '-q', origin, checkout);
    else if (uses?.startsWith('actions/upload-artifact@')) {
      expect(input).toMatchObject({ name: 'plimsoll-loop', path: 'gate/loop' });
      rmSync(artifact, { recursive: true, force: true });
      cpSync(path.join(checkout, 'gate/loop'), artifact, { recursive: true });
    } else expect(uses).toMatch(/^actions\/setup-node@/);
  }
  return { failed, output, code: codeOf() };
}
