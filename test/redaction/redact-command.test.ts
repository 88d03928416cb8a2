import { expect, onTestFinished, test } from 'vitest';
import { openRedactCommand } from '../../router/redaction/index.ts';

/** A program that reads lines, as a user would write one. */
function command(reply: string, timeoutMs = 5_000) {
  const program = `require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, texts } = JSON.parse(line);
    const say = (response) => process.stdout.write(JSON.stringify(response) + '\\n');
    ${reply}
  });`;
  const opened = openRedactCommand({ command: [process.execPath, '-e', program], timeoutMs });
  onTestFinished(opened.close);
  return opened;
}

test('one process gives the texts of many requests back, in any order', async () => {
  const { redact } = command(
    'setTimeout(() => say({ id, texts: texts.map((text) => process.pid + text.replaceAll("Ann", "X")) }), 50 / id);',
  );
  const [first, second, third] = await Promise.all([
    redact(['Ann', 'Bob']),
    redact([]),
    redact(['a\u2028\nAnn']),
  ]);
  const pid = /^\d+/.exec(first?.[0] ?? '')?.[0];
  expect(first).toEqual([`${pid}X`, `${pid}Bob`]);
  expect(second).toEqual([]);
  expect(third).toEqual([`${pid}a\u2028\nX`]);
});

test.each([
  ['says nothing', '', 300],
  ['gives fewer texts', 'say({ id, texts: [] })', 5_000],
  ['gives something else', 'say({ id, texts: [1] })', 5_000],
  ['prints prose', 'console.log("done")', 5_000],
  ['crashes', 'process.exit(3)', 5_000],
])('one that %s fails every request that waits', async (_, reply, timeoutMs) => {
  const { redact } = command(reply, timeoutMs);
  const results = await Promise.allSettled([redact(['a']), redact(['b'])]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});

test('a burst does not make a slow one late: each request has its own time', async () => {
  const { redact } = command(
    'globalThis.busy = Promise.resolve(globalThis.busy).then(() => new Promise((done) => setTimeout(done, 60))).then(() => say({ id, texts }));',
    1_000,
  );
  await redact(['started']);
  const results = await Promise.allSettled(Array.from({ length: 25 }, () => redact(['a'])));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(25);
});

test('one that leaves out a request is late, though it gives back those after it', async () => {
  const { redact } = command('if (id > 1) say({ id, texts });', 400);
  const first = redact(['a']).then(
    () => 'given back',
    () => 'late',
  );
  const later = setInterval(() => void redact(['b']).catch(() => {}), 100);
  onTestFinished(() => clearInterval(later));
  expect(await first).toBe('late');
});

test('it gets no key of the environment', async () => {
  process.env['PLIMSOLL_TEST_SECRET'] = 'hidden';
  const { redact } = command('say({ id, texts: [JSON.stringify(process.env)] })');
  expect((await redact(['a'])).join()).not.toContain('hidden');
});

test('one that is not there fails, and is tried again a second later', async () => {
  const { redact } = openRedactCommand({ command: ['/no/such/program'], timeoutMs: 1_000 });
  await expect(redact(['a'])).rejects.toThrow('cannot be started');
  await expect(redact(['a'])).rejects.toThrow('not started again yet');
});
