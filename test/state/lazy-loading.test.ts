import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const LIBRARIES = ['libsql', 'kysely', 'pg', 'ioredis', 'rate-limiter-flexible'];

/** Which of the libraries a program has loaded: modules of Node's loaders, and of CommonJS. */
async function loadedBy(program: string): Promise<string[]> {
  const hook = `
    import { registerHooks } from 'node:module';
    const seen = new Set();
    registerHooks?.({ load(url, context, next) { seen.add(url); return next(url, context); } });
    globalThis.seenModules = () => [...seen, ...Object.keys(process.getBuiltinModule('node:module').Module._cache)];
  `;
  const script = `
    ${program}
    const modules = [...globalThis.seenModules(), ...process.report.getReport().sharedObjects];
    console.log(JSON.stringify(${JSON.stringify(LIBRARIES)}.filter((name) => modules.some((one) => one.includes('/node_modules/' + name + '/') || one.includes('/@' + name + '/')))));
  `;
  const data = `data:text/javascript,${encodeURIComponent(hook)}`;
  const args = ['--import', 'tsx', '--import', data, '--input-type=module', '--eval', script];
  const { stdout } = await run(process.execPath, args);
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as string[];
}

const GATEWAY = `
  const { configSchema } = await import('./router/config/index.ts');
  const { createGateway } = await import('./router/create-gateway.ts');
  const configWith = (changes) => configSchema.parse({
    providers: { openai: { kind: 'openai' } }, log_level: 'silent',
    ladder: { cheap: 'openai/gpt-4o-mini', strong: 'openai/gpt-4o' }, ...changes });
`;

test('with the state off none of its libraries is loaded', async () => {
  const program = `${GATEWAY} await (await createGateway(configWith({ decision_log: { file: '/dev/null' } }))).close();`;
  expect(await loadedBy(program)).toEqual([]);
});

test('with SQLite only its own libraries are loaded', async () => {
  const program = `${GATEWAY} await (await createGateway(configWith({ state: { url: '/tmp/plimsoll-lazy-' + process.pid + '/state.db' } }))).close();`;
  const loaded = await loadedBy(program);
  expect(loaded).toContain('libsql'); // its binary, in the thread
  expect(loaded).not.toContain('pg');
  expect(loaded).not.toContain('ioredis');
});
