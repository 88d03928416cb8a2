import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startFakeProvider } from '../../scripts/fake-provider/server.ts';
import { ended, startCli } from '../cli/run-cli.ts';

const SCRIPT = fileURLToPath(new URL('../../scripts/fake-provider.ts', import.meta.url));
const run = (...args: string[]) => ended(startCli(args, {}, SCRIPT));

test('a port that is taken: one line, 1', async () => {
  const other = await startFakeProvider();
  const { code, stdout, stderr } = await run('--port', String(other.port));
  await other.close();
  expect({ code, stdout, stderr }).toEqual({
    code: 1,
    stdout: '',
    stderr: `fake-provider: Port ${other.port} is in use by another program. Choose another with --port; 0 takes a free one.\n`,
  });
});

test.each([
  ['--port', '65536'],
  ['--port', 'x'],
  ['--delay-ms', '-1'],
  ['--chunk-ms', 'soon'],
  ['--words', '0'],
])('%s %s: one line', async (flag, value) => {
  const { code, stdout, stderr } = await run(flag, value);
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toMatch(
    new RegExp(`^error: option '${flag} .* argument '${value}' is invalid\\. It must be .*\\.\\n$`),
  );
});
