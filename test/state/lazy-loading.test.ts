import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';

const run = promisify(execFile);
const scratch = mkdtempSync(path.join(tmpdir(), 'plimsoll-lazy-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const LIBRARIES = ['libsql', 'kysely', 'pg', 'ioredis', 'bullmq'];

/** Which of the libraries a program has loaded: what passed Node's loaders, and shared objects of any thread. */
async function loadedBy(program: string): Promise<string[]> {
  const seenFile = path.join(scratch, 'seen.txt');
  writeFileSync(seenFile, '');
  const hooks = `
    import { appendFileSync } from 'node:fs';
    export async function load(url, context, next) {
      appendFileSync(${JSON.stringify(seenFile)}, url + '\\n');
      return next(url, context);
    }`;
  const registering = `
    import { register } from 'node:module';
    register(${JSON.stringify(dataUrl(hooks))});`;
  const script = `${program}
    const required = Object.keys(process.getBuiltinModule('node:module')._cache);
    console.log(JSON.stringify([...required, ...process.report.getReport().sharedObjects]));`;
  const args = ['--import', 'tsx', '--import', dataUrl(registering), '--input-type=module', '--eval', script];
  const { stdout } = await run(process.execPath, args, { maxBuffer: 2 ** 26 });
  const others = JSON.parse(stdout.trim().split('\n').at(-1)!) as string[];
  const all = [...readFileSync(seenFile, 'utf8').split('\n'), ...others];
  expect(all.some((one) => one.includes('/undici/'))).toBe(true); // the gateway's own library is seen
  return LIBRARIES.filter((name) => all.some((one) => new RegExp(`/node_modules/@?${name}/`).test(one)));
}

function dataUrl(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`;
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
  const program = `${GATEWAY} await (await createGateway(configWith({ state: { url: ${JSON.stringify(path.join(scratch, 'state.db'))} } }))).close();`;
  const loaded = await loadedBy(program);
  expect(loaded).toContain('libsql'); // its binary, in the thread
  expect(loaded).not.toContain('pg');
  expect(loaded).not.toContain('ioredis');
});
