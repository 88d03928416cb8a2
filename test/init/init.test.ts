import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { createCatalog, shippedProviders } from '../../router/catalog/index.ts';
import { configSchema } from '../../router/config/index.ts';
import { startFakeProvider } from '../../scripts/fake-provider/index.ts';
import {
  type Answers,
  askAnswers,
  configText,
  modelsOf,
  proposedModels,
  providerAt,
  STARTS,
  USES,
  wantedProvider,
} from '../../scripts/init/index.ts';
import { CLI, cli, jsonOf } from '../cli/run-cli.ts';

const ENV = { OPENAI_API_KEY: 'sk-1', ANTHROPIC_API_KEY: 'sk-2' };

/** Answers line by line, as a person types them. */
async function asked(lines: readonly string[], env: NodeJS.ProcessEnv = ENV) {
  const input = new PassThrough();
  const output = new PassThrough();
  let shown = '';
  let next = 0;
  output.on('data', (chunk) => {
    shown += String(chunk);
    if (/(?:\] |\? )$/.test(String(chunk)) && next < lines.length) input.write(`${lines[next++]}\n`);
  });
  const answers = await askAnswers({}, env, { input, output });
  return { answers, shown };
}

test('empty answers take what is proposed', async () => {
  const { answers } = await asked(['', '', '', '', '', '']);
  expect(answers).toEqual({
    providers: [
      { name: 'openai', kind: 'openai', keyVariable: 'OPENAI_API_KEY' },
      { name: 'anthropic', kind: 'anthropic', keyVariable: 'ANTHROPIC_API_KEY' },
    ],
    cheap: 'openai/gpt-6-luna',
    strong: 'openai/gpt-6-sol',
    use: 'chat',
    margin: 0.02,
    start: 'measure',
  });
});

test('a wrong answer is asked again, and says why', async () => {
  const { answers, shown } = await asked([
    'mistral',
    'anthropic',
    'haiku',
    'openai/gpt-6-luna',
    'anthropic/a',
    'anthropic/b',
    '9',
    '2',
    '0',
    '0,05',
    'route',
  ]);
  expect(answers).toMatchObject({
    cheap: 'anthropic/a',
    strong: 'anthropic/b',
    use: 'agents',
    margin: 0.05,
    start: 'route',
  });
  for (const said of [
    'Name some of openai,anthropic',
    '"haiku" is no model',
    'no provider "openai"',
    'from 1 to 3',
    'above 0 and below 1',
  ])
    expect(shown).toContain(said);
});

test('without any key it asks for an address, and takes no secret for one', async () => {
  const { answers, shown } = await asked(
    [
      'somewhere',
      'https://user:SECRET@api.llm.example/v1',
      'https://api.llm.example/v1/',
      'sk-SECRET',
      'LLM_KEY',
      'llm-example/a',
      'llm-example/b',
      '',
      '',
      '',
    ],
    {},
  );
  for (const said of [
    'It must be an http address',
    'no name, password or query',
    'the NAME of an environment variable',
  ])
    expect(shown).toContain(said);
  expect(answers.providers).toEqual([
    {
      name: 'llm-example',
      kind: 'openai-compatible',
      baseUrl: 'https://api.llm.example/v1',
      keyVariable: 'LLM_KEY',
    },
  ]);
  expect(configText(answers)).not.toContain('SECRET');
});

const KNOWN = shippedProviders().map(wantedProvider);
const LOCAL = providerAt('http://127.0.0.1:11434/v1') as Exclude<ReturnType<typeof providerAt>, string>;

test('whatever the answers, the file is a configuration that says the same, and has no key in it', () => {
  const model = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9:._-]{0,20}$/);
  const answers = fc
    .record({
      providers: fc.subarray([...KNOWN, LOCAL], { minLength: 1 }),
      models: fc.uniqueArray(model, { minLength: 2, maxLength: 2 }),
      use: fc.constantFrom(...USES),
      margin: fc.double({ min: 0.001, max: 0.5, noNaN: true }),
      start: fc.constantFrom(...STARTS),
    })
    .map(({ models, ...rest }): Answers => {
      const { name } = rest.providers[0]!;
      return { ...rest, cheap: `${name}/${models[0]}`, strong: `${name}/${models[1]}` };
    });
  fc.assert(
    fc.property(answers, (given) => {
      const config = configSchema.parse(parse(configText(given)));
      expect(config.ladder).toEqual({ cheap: given.cheap, strong: given.strong });
      const catalog = createCatalog(config);
      for (const model of [given.cheap, given.strong]) expect(catalog.has(model), model).toBe(true);
      expect(Object.keys(config.providers)).toEqual(given.providers.map(({ name }) => name));
      expect(config.defaultPolicy).toBe(given.start === 'measure' ? 'always-strong' : 'default');
      expect(config.scoreAlways).toBe(given.start === 'measure');
    }),
  );
});

test('each shipped provider but those without a pair has models to propose', () => {
  for (const provider of KNOWN) {
    const proposed = proposedModels([provider]);
    if (proposed !== undefined) expect(proposed.cheap).not.toBe(proposed.strong);
  }
  expect(proposedModels([KNOWN.find(({ name }) => name === 'anthropic')!])).toBeDefined();
});

test('the command writes the file, tries the provider, and refuses what cannot be', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-init-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const provider = await startFakeProvider({ models: ['small', 'large'] });
  onTestFinished(() => provider.close());
  const out = path.join(folder, 'plimsoll.config.yaml');
  const models = ['--cheap', '127-0-0-1/small', '--strong', '127-0-0-1/large'];
  const first = await cli(['init', '--yes', '--out', out, '--base-url', provider.url, ...models]);
  expect(first.stdout).toContain(`${out} is written.`);
  expect(first).toMatchObject({ code: 0 });
  expect(first.stdout).toMatch(/ok +provider 127-0-0-1/);
  expect(first.stdout).toContain('Start it:            npm run -s plimsoll -- serve');
  const written = readFileSync(out, 'utf8');
  expect(first.stdout).not.toMatch(/(?<!npm run -s )plimsoll (?:serve|plan|doctor)/); // it is on nobody's PATH
  expect(written).toContain(`Check it: npm run -s plimsoll -- doctor --config ${out} --online`);
  expect(written).toContain('#   npm run -s plimsoll -- plan --from state');
  expect(parse(written)).toMatchObject({ default_policy: 'always-strong', score_always: true });
  const again = await cli(['init', '--yes', '--out', out, '--base-url', provider.url, ...models]);
  expect(again).toMatchObject({ code: 1, stdout: '' });
  expect(again.stderr).toMatch(/is there already/);
  expect(readFileSync(out, 'utf8')).toBe(written);
  for (const [flags, said] of [
    [['--base-url', 'nowhere'], /http address/],
    [['--yes', '--base-url', 'http://a:SECRET@h/v1'], /no name, password or query/],
    [['--yes', '--key-variable', 'A_KEY'], /goes with --base-url/],
    [['--yes', '--margin', '2'], /above 0 and below 1/],
    [['--yes', '--base-url', provider.url], /name them by --cheap and --strong/],
    [['--yes', '--base-url', provider.url, '--cheap', 'x/a', '--strong', 'y/b'], /no provider "x"/],
    [[], /there is no terminal/],
  ] as const) {
    const refused = await cli(['init', '--out', path.join(folder, 'other.yaml'), ...flags]);
    expect(refused.code, flags.join(' ')).toBe(2);
    expect(refused.stderr).toMatch(said);
  }
});

/** What a person at a terminal sees, who types a line at each question. */
async function typed(args: readonly string[], lines: readonly string[], env: NodeJS.ProcessEnv) {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-init-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const command = [process.execPath, CLI, 'init', ...args].join(' ');
  const child = spawn('script', ['-qefc', command, '/dev/null'], {
    cwd: folder,
    env: { PATH: process.env['PATH'], TERM: 'dumb', ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let shown = '';
  let asked = 0;
  let next = 0;
  child.stdout.on('data', (chunk) => {
    shown += chunk;
    const plain = stripVTControlCharacters(shown);
    const questions = plain.match(/(?:\] |\? )(?=\S|$)/g)?.length ?? 0;
    if (questions > asked && /(?:\] |\? )$/.test(plain) && next < lines.length) {
      asked = questions;
      child.stdin.write(`${lines[next++]}\n`);
    }
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  const read = () => readFileSync(path.join(folder, 'plimsoll.config.yaml'), 'utf8');
  return { code, shown, read };
}

const hasScript = spawnSync('script', ['--version']).status === 0;

test.skipIf(!hasScript)(
  'at a terminal: the models of the provider are listed, and chosen by number',
  { timeout: 120_000 },
  async () => {
    const provider = await startFakeProvider({ apiKey: 'sk-right', models: ['tiny', 'medium', 'huge'] });
    onTestFinished(() => provider.close());
    const { code, shown, read } = await typed(
      [],
      [provider.url, 'LLM_KEY', '1', '127-0-0-1/huger', '3', '2', '0.03', '1'],
      { LLM_KEY: 'sk-right' },
    );
    expect(code, shown).toBe(0);
    for (const said of [
      '1 127-0-0-1/tiny',
      '3 127-0-0-1/huge',
      'has no model "huger". Did you mean 127-0-0-1/huge?',
    ])
      expect(shown).toContain(said);
    const config = parse(read());
    expect(config).toMatchObject({
      ladder: { cheap: '127-0-0-1/tiny', strong: '127-0-0-1/huge' },
      default_policy: 'always-strong',
      score_always: true,
      sessions: { stickiness: 'pinned' },
    });
    expect(read()).not.toContain('sk-right');
    expect(shown).not.toContain('sk-right');
    expect(shown).toContain('takes the key');
  },
);

test('a key that is refused is told before the models are asked for', async () => {
  const provider = await startFakeProvider({ apiKey: 'sk-right', models: ['tiny'] });
  onTestFinished(() => provider.close());
  process.env['INIT_KEY'] = 'sk-wrong';
  onTestFinished(() => void delete process.env['INIT_KEY']);
  const wanted = { name: 'fake', kind: 'openai-compatible', baseUrl: provider.url, keyVariable: 'INIT_KEY' };
  expect(await modelsOf(wanted)).toMatch(/^fake does not list its models: auth/);
  process.env['INIT_KEY'] = 'sk-right';
  expect(await modelsOf(wanted)).toEqual(['fake/tiny']);
});

test('--json: one document; without models the error names those that there are', {
  timeout: 120_000,
}, async () => {
  const provider = await startFakeProvider({ models: ['tiny', 'huge'] });
  onTestFinished(() => provider.close());
  const cwd = mkdtempSync(path.join(tmpdir(), 'plimsoll-init-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  const args = ['init', '--yes', '--json', '--base-url', provider.url];
  const refused = await cli(args, { cwd });
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('There are: 127-0-0-1/tiny, 127-0-0-1/huge.');
  const written = await cli([...args, '--cheap', '127-0-0-1/tiny', '--strong', '127-0-0-1/hugest'], { cwd });
  const { file, ok, answers, findings } = jsonOf(written);
  expect({ file, ok }).toEqual({ file: 'plimsoll.config.yaml', ok: true });
  expect(answers).toMatchObject({ providers: ['127-0-0-1'], strong: '127-0-0-1/hugest', start: 'measure' });
  expect(findings).toContainEqual(
    expect.objectContaining({
      check: 'provider 127-0-0-1',
      status: 'warning',
      text: expect.stringContaining('does not list hugest'),
    }),
  );
});
