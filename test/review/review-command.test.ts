import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CLI, cli, ended, expectRefusal, jsonOf, startCli } from '../cli/run-cli.ts';
import { GOOD_BAD, nextScreen, reviewCases, reviewFolder, visitor } from './review-world.ts';

const FLAGS = '--cases cases.jsonl --models tiny-model,huge-model --out grades.jsonl'.split(' ');
const READ =
  'review read --cases cases.jsonl --key grades.jsonl.key.json --reviews grades.jsonl --out r.jsonl';

/** The command, once it has printed its links. @param maxBlocks how large a file may become, in blocks of 512 bytes */
async function startServe(folder: string, maxBlocks?: number) {
  const args = ['review', 'serve', ...FLAGS, '--port', '0', '--reviewers', 'ann,bob'];
  const limited = [
    '-c',
    `trap "" XFSZ; ulimit -f ${maxBlocks}; exec "$@"`,
    'sh',
    process.execPath,
    CLI,
    ...args,
  ];
  const child =
    maxBlocks === undefined ? startCli(args, { cwd: folder }) : spawn('/bin/sh', limited, { cwd: folder });
  const end = ended(child);
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  await expect.poll(() => text.includes('Ctrl-C') || child.exitCode !== null).toBe(true);
  const linkOf = (name: string) => new RegExp(`${name} +(http://\\S+)`).exec(text)?.[1] ?? '';
  return { child, end, text, linkOf, url: new URL(linkOf('ann')).origin };
}

test('killed at any moment, it loses no grade that led to the next case', async () => {
  const { folder } = reviewFolder(reviewCases(30));
  let saved = 0;
  for (let run = 0; run < 3; run++) {
    const { child, end, linkOf, url } = await startServe(folder);
    const ann = visitor(url);
    await ann.get(linkOf('ann'));
    for (let i = 0; i < 4; i++) {
      const { status } = await ann.post(await nextScreen(ann), GOOD_BAD);
      expect(status).toBe(303);
      saved++;
    }
    void ann.post(await nextScreen(ann), GOOD_BAD).catch(() => {}); // may be lost or saved, never half
    child.kill('SIGKILL');
    await end;
    const lines = readFileSync(`${folder}/grades.jsonl`, 'utf8').split('\n').slice(1, -1);
    expect(lines.length).toBeGreaterThanOrEqual(saved);
    expect(lines.length).toBeLessThanOrEqual(saved + 1);
    saved = lines.length;
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ kind: 'grade', reviewer: 'ann' });
  }
  const { child, end, linkOf, url } = await startServe(folder);
  const lead = visitor(url);
  await lead.get(linkOf('summary'));
  expect((await lead.get('/summary')).body).toContain(`${saved} of `);
  const locked = await cli(['review', 'serve', ...FLAGS, '--reviewers', 'ann,bob'], { cwd: folder });
  expectRefusal(locked, /Another command is changing grades\.jsonl/);
  child.kill('SIGTERM');
  expect(await end).toMatchObject({ code: 0, stderr: '' });

  const read = jsonOf(await cli([...READ.split(' '), '--json'], { cwd: folder }));
  expect(read).toMatchObject({ reviewers: 1, items: 60, settled: 0, kappa: null, alpha: null });
  expect(read.bounds[0].audited).toBeGreaterThan(8);
});

test('wrong use is told in one line', async () => {
  const { folder } = reviewFolder(reviewCases(3));
  const serve = (...flags: string[]) => cli(['review', 'serve', ...FLAGS, ...flags], { cwd: folder });
  expectRefusal(await serve('--reviewers', 'ann,,bob'), /cannot be a reviewer's name/, 2);
  expectRefusal(await serve('--reviewers', 'ann', '--overlap', '2'), /number from 0 to 1/, 2);
  const { child, end, url } = await startServe(folder);
  const other = reviewFolder(reviewCases(3));
  const port = new URL(url).port;
  const taken = await cli(['review', 'serve', ...FLAGS, '--reviewers', 'ann', '--port', port], {
    cwd: other.folder,
  });
  expectRefusal(taken, /is in use\. Name another with --port/);
  child.kill('SIGTERM');
  await end;
  expectRefusal(await cli(READ.split(' '), { cwd: folder }), /grades\.jsonl has no grades yet/);
});

test.skipIf(process.platform === 'win32')(
  'a grade that the disk does not take is told, and does not count',
  async () => {
    const { folder } = reviewFolder(reviewCases(4));
    const { child, end, linkOf, url } = await startServe(folder, 8);
    const ann = visitor(url);
    await ann.get(linkOf('ann'));
    const note = 'x'.repeat(1_500);
    let saved = 0;
    let screen = await nextScreen(ann);
    let got = await ann.post(screen, { ...GOOD_BAD, note });
    for (; got.status === 303 && saved < 3; saved++) {
      screen = await nextScreen(ann);
      got = await ann.post(screen, { ...GOOD_BAD, note });
    }
    expect(got.status).toBe(500);
    expect(got.body).toMatch(/Not saved.*EFBIG/s);
    expect(got.body).toMatch(/value="bad" checked/);
    expect(got.body).toContain(note);
    expect(saved).toBeGreaterThan(0);
    expect(await nextScreen(ann)).toBe(screen);
    expect((await ann.post(screen, GOOD_BAD)).status).toBe(303); // a short one still fits
    child.kill('SIGTERM');
    await end;
    const lines = readFileSync(`${folder}/grades.jsonl`, 'utf8').split('\n').slice(1, -1);
    expect(lines.map((line) => JSON.parse(line).kind)).toEqual(
      Array.from({ length: saved + 1 }, () => 'grade'),
    );
  },
);
