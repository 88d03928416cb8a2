import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { appendFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { sampled } from '../helpers/long-run.ts';
import { layRecordedVerdict } from '../helpers/recorded-verdict.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';
import { copyAs, layVerdict, PASSED } from '../helpers/verdicts.ts';
import { CLI, cli, expectRefusal, jsonOf, scratchFolder } from './run-cli.ts';

const { folder: TINY } = await tinyArtifact();
const SIGN = ['sign', '--artifact', 'models/a', '--key', 'gate.pem'];
const VERIFY = ['sign', '--verify', '--artifact', 'models/a', '--key', 'gate.pub.pem'];

/** A folder with an artifact `models/a` that has a PASS, and the keys `gate`. */
async function withKeys(env: NodeJS.ProcessEnv = {}) {
  const cwd = scratchFolder();
  const artifact = copyAs(TINY, path.join(cwd, 'models', 'a'));
  layRecordedVerdict(artifact);
  const made = await cli(['sign', '--new-key', 'gate'], { cwd, env });
  expect(made).toMatchObject({ code: 0, stderr: '' });
  const run = (args: readonly string[], settings: NodeJS.ProcessEnv = {}) =>
    cli(args, { cwd, env: settings });
  return { cwd, artifact, run, made };
}

describe('plimsoll sign', () => {
  it('makes keys, signs and checks', async () => {
    const { cwd, artifact, run, made } = await withKeys();
    expect(made.stdout).toMatch(
      /^Wrote gate\.pem, which signs: .*\nWrote gate\.pub\.pem, which checks: .*gate\.public_key/,
    );
    expect(statSync(path.join(cwd, 'gate.pem')).mode & 0o777).toBe(0o600);
    expectRefusal(
      await run(VERIFY),
      /models\/a has no signature verdict\.json\.sig\. Sign it: `npm run -s plimsoll -- sign --artifact models\/a/,
    );
    expect(await run(SIGN)).toEqual({
      code: 0,
      signal: null,
      stdout: 'Wrote models/a/verdict.json.sig\n',
      stderr: '',
    });
    expect(readFileSync(path.join(artifact, 'verdict.json.sig'), 'utf8')).toMatch(/^[A-Za-z0-9+/]{86}==\n$/);
    expect(await run(VERIFY)).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('is signed by'),
    });
    appendFileSync(path.join(artifact, 'verdict.json'), '\n');
    expectRefusal(await run(VERIFY), /replaced or changed after it was signed, or another key signed it/);
  });

  it('a store stands for its current artifact, and promoting, which asks for no signature, keeps the one there is', async () => {
    const { run } = await withKeys();
    expect(await run(['promote', '--artifact', 'models/a'])).toMatchObject({ code: 0 });
    expect(await run(['sign', '--artifact', 'models', '--key', 'gate.pem'])).toMatchObject({ code: 0 });
    expect(await run(VERIFY)).toMatchObject({ code: 0 });
  });

  it('the key may come from a pipe, so that no file holds it', async () => {
    const { cwd, run } = await withKeys();
    const line = 'cat gate.pem | "$0" "$1" sign --artifact models/a --key /dev/stdin';
    const { stdout } = await promisify(execFile)('sh', ['-c', line, process.execPath, CLI], { cwd });
    expect(stdout).toBe('Wrote models/a/verdict.json.sig\n');
    expect(await run(VERIFY)).toMatchObject({ code: 0 });
  });

  it('never overwrites a key', async () => {
    const { cwd, run } = await withKeys();
    const before = readFileSync(path.join(cwd, 'gate.pem'));
    expectRefusal(
      await run(['sign', '--new-key', 'gate']),
      /gate\.pem exists already, and keys are never overwritten/,
    );
    expect(readFileSync(path.join(cwd, 'gate.pem'))).toEqual(before);
  });

  it('an encrypted key needs its passphrase in the environment, which no message repeats', async () => {
    const PLIMSOLL_KEY_PASSPHRASE = 'open sesame';
    const { cwd, run } = await withKeys({ PLIMSOLL_KEY_PASSPHRASE });
    expect(readFileSync(path.join(cwd, 'gate.pem'), 'utf8')).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    expectRefusal(
      await run(SIGN),
      /gate\.pem, .* is encrypted\. Give its passphrase in the environment variable PLIMSOLL_KEY_PASSPHRASE\./,
    );
    const wrong = await run(SIGN, { PLIMSOLL_KEY_PASSPHRASE: 'swordfish' });
    expectRefusal(wrong, /does not open with the passphrase in PLIMSOLL_KEY_PASSPHRASE/);
    expect(wrong.stderr).not.toContain('swordfish');
    expect(await run(SIGN, { PLIMSOLL_KEY_PASSPHRASE })).toMatchObject({ code: 0 });
    expect(await run(VERIFY)).toMatchObject({ code: 0 });
  });

  it('what is no PASS is signed with a warning: a signature vouches for bytes', async () => {
    const { artifact, run } = await withKeys();
    layVerdict(artifact, { verdict: 'FAIL', conditions: [{ ...PASSED, verdict: 'FAIL' }] });
    const warning =
      /^Warning: the verdict is signed, but it is no valid PASS\. The gate said FAIL of models\/a/;
    for (const args of [SIGN, VERIFY]) {
      expect(await run(args)).toMatchObject({ code: 0, stderr: expect.stringMatching(warning) });
    }
  });

  it.each(
    sampled<[string, (place: { cwd: string; artifact: string }) => unknown, readonly string[], RegExp]>([
      [
        'no verdict',
        ({ artifact }) => rmSync(path.join(artifact, 'verdict.json')),
        SIGN,
        /models\/a has no verdict\.json: the gate has not run on it\. Run `npm run -s plimsoll -- gate/,
      ],
      [
        'no verdict to check',
        ({ artifact }) => rmSync(path.join(artifact, 'verdict.json')),
        VERIFY,
        /has no verdict\.json/,
      ],
      [
        'no artifact',
        ({ artifact }) => rmSync(artifact, { recursive: true }),
        SIGN,
        /There is no artifact folder at models\/a/,
      ],
      [
        'no key',
        ({ cwd }) => rmSync(path.join(cwd, 'gate.pem')),
        SIGN,
        /There is no key at gate\.pem, which --key names\. Make a pair of keys with/,
      ],
      [
        'the public key',
        () => {},
        [...SIGN.slice(0, -1), 'gate.pub.pem'],
        /holds a public key, which only checks/,
      ],
      [
        'checking by the private key',
        () => {},
        [...VERIFY.slice(0, -1), 'gate.pem'],
        /holds a private key\. Name the public one/,
      ],
      [
        'a key of another type',
        ({ cwd }) => {
          const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
          writeFileSync(path.join(cwd, 'gate.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
        },
        SIGN,
        /is a key of the type ec, not Ed25519/,
      ],
      ['no name', () => {}, ['sign', '--new-key', ''], /must be that of a file, not ""/],
      [
        'the name of a folder',
        () => {},
        ['sign', '--new-key', 'keys/'],
        /must be that of a file, not "keys\/"/,
      ],
      [
        'a folder that is not there',
        () => {},
        ['sign', '--new-key', 'no/such/gate'],
        /Cannot write .*no\/such\/gate\.pem.* \(ENOENT\)/,
      ],
    ]),
  )('%s: one sentence, 1', async (_, spoil, args, message) => {
    const { cwd, artifact, run } = await withKeys();
    spoil({ cwd, artifact });
    expectRefusal(await run(args), message);
  });

  it.each(
    sampled([
      ['no artifact', ['sign', '--key', 'k'], /'--artifact <folder>' not specified/],
      ['no key', ['sign', '--artifact', 'a'], /'--key <file>' not specified/],
      [
        'new keys and an artifact',
        ['sign', '--new-key', 'a', '--artifact', 'b'],
        /cannot be used with option '--artifact/,
      ],
    ]),
  )('%s: wrong usage, 2', async (_, args, message) => {
    expectRefusal(await cli(args), message, 2);
  });
});

describe('gate.public_key in the configuration', () => {
  const config = (cwd: string) =>
    writeFileSync(
      path.join(cwd, 'plimsoll.config.yaml'),
      'artifact: models/a\ngate: { public_key: gate.pub.pem }\n',
    );

  it('promote and inspect ask for no signature: floors are those of a server', async () => {
    const { cwd, run } = await withKeys();
    config(cwd);
    expect(await run(['promote', '--artifact', 'models/a'])).toMatchObject({ code: 0 });
    expect((await run(['inspect', 'models/a'])).stdout).toMatch(/^verdict {4}PASS/m);
  });

  it('route decides only by a verdict that is signed', async () => {
    const { cwd, run } = await withKeys();
    config(cwd);
    const route = ['route', 'What is the capital of France?', '--json'];
    expectRefusal(
      await run(route),
      /^plimsoll: Only a signed verdict counts \(gate\.public_key: gate\.pub\.pem\)\. .*--allow-ungated\.$/m,
    );
    expect(jsonOf(await run([...route, '--allow-ungated']))).toMatchObject({
      verdict: 'none',
      ungated_reason: 'unsigned',
    });
    expect(await run(SIGN)).toMatchObject({ code: 0 });
    expect(jsonOf(await run(route))).toMatchObject({ verdict: 'PASS', ungated_reason: null });
  });
});
