import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openAccess } from '../../router/access/index.ts';
import { sampled } from '../helpers/long-run.ts';
import { CLI, cli, ended, expectRefusal, jsonOf, scratchFolder, startCli } from './run-cli.ts';

/** A line of a shell, in which "$NODE" "$CLI" is plimsoll. */
function shell(script: string, cwd: string) {
  return ended(spawn('sh', ['-c', script], { cwd, env: { ...process.env, NODE: process.execPath, CLI } }));
}

describe('plimsoll keys', () => {
  it('create, list, revoke: the key works, is shown once, and then does not work', async () => {
    const cwd = scratchFolder();
    const made = await cli(['keys', 'create', '--name', 'ci', '--expires', '90d'], { cwd });
    expect(made.code, made.stderr).toBe(0);
    const key = made.stdout.trim();
    expect(key).toMatch(/^plim_[0-9a-f]{12}_[\w-]{43}$/);
    expect(made.stderr).toMatch(/only its hash is stored/);
    expect(made.stderr).not.toContain(key);
    const file = path.join(cwd, 'plimsoll.keys.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).not.toContain(key.slice(18));
    const kind = () => openAccess({ file, onFailure: () => {} }).authenticate({ 'x-api-key': key }).kind;
    expect(kind()).toBe('ok');

    const [listed] = jsonOf(await cli(['keys', 'list', '--json'], { cwd })).keys;
    expect(listed).toEqual({
      id: key.slice(5, 17),
      name: 'ci',
      created: expect.any(String),
      expires: expect.any(String),
      state: 'valid',
    });
    expect(Date.parse(listed.expires) - Date.parse(listed.created)).toBe(90 * 86_400_000);

    const revoked = await cli(['keys', 'revoke', listed.id], { cwd });
    expect(revoked).toMatchObject({ code: 0, stderr: '' });
    expect(kind()).toBe('revoked');
    const after = await cli(['keys', 'list'], { cwd });
    expect(after.stdout).toMatch(new RegExp(`^${listed.id}    ci  .* revoked$`, 'm'));
  });

  it('--profile binds a key to a profile of the configuration, and refuses any other', async () => {
    const cwd = scratchFolder();
    writeFileSync(path.join(cwd, 'plimsoll.config.yaml'), 'profiles: { legal: {} }\n');
    expect((await cli(['keys', 'create', '--name', 'ci', '--profile', 'legal'], { cwd })).code).toBe(0);
    expect(jsonOf(await cli(['keys', 'list', '--json'], { cwd })).keys).toMatchObject([{ profile: 'legal' }]);
    expect((await cli(['keys', 'list'], { cwd })).stdout).toMatch(/ valid +legal$/m);
    const wrong = await cli(['keys', 'create', '--name', 'ci', '--profile', 'legl'], { cwd });
    expectRefusal(wrong, /--profile: There is no profile "legl"\. Did you mean "legal"\?/, 1);
  });

  it('--json and --file: machine-readable, elsewhere', async () => {
    const file = path.join(scratchFolder(), 'elsewhere.json');
    const made = jsonOf(await cli(['keys', 'create', '--name', 'a b', '--file', file, '--json']));
    expect(made).toMatchObject({ file, name: 'a b', state: 'valid', key: expect.stringMatching(/^plim_/) });
    expect(made).not.toHaveProperty('expires');
    expect(made).not.toHaveProperty('sha256');
  });

  const NOT_SHOWN = /^plimsoll: Key [0-9a-f]{12} could not be shown, and is revoked again\./;

  it.skipIf(!existsSync('/dev/full')).each(['', '--json'])(
    'a key that a full disk does not take is revoked again: 1 %s',
    async (flag) => {
      const cwd = scratchFolder();
      const { code, stderr } = await shell(`"$NODE" "$CLI" keys create --name a ${flag} >/dev/full`, cwd);
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(NOT_SHOWN) });
      expect(stderr).toContain('ENOSPC');
      const { keys } = jsonOf(await cli(['keys', 'list', '--json'], { cwd }));
      expect(keys).toMatchObject([{ state: 'revoked' }]);
    },
  );

  it.each([[[]], [['--json']]])('so is one whose reader has gone: 1 %s', async (flags) => {
    const cwd = scratchFolder();
    const child = startCli(['keys', 'create', '--name', 'a', ...flags], { cwd });
    child.stdout.destroy();
    const { code, stderr } = await ended(child);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(NOT_SHOWN) });
    const { keys } = jsonOf(await cli(['keys', 'list', '--json'], { cwd }));
    expect(keys).toMatchObject([{ state: 'revoked' }]);
  });

  it.skipIf(process.platform === 'win32').each(['>&-', '>/dev/null'])(
    'no key is made for %s: 1',
    async (redirection) => {
      const cwd = scratchFolder();
      const script = `"$NODE" "$CLI" keys create --name a ${redirection}`;
      const { code, stderr } = await shell(script, cwd);
      expect(stderr).toMatch(/^plimsoll: No key was made: stdout is closed or \/dev\/null, .*\n$/);
      expect([code, existsSync(path.join(cwd, 'plimsoll.keys.json'))]).toEqual([1, false]);
    },
  );

  it.each(
    sampled([
      ['no file', ['list'], /There is no keys file at plimsoll\.keys\.json/],
      ['an id that there is not', ['revoke', 'nobody', '--file', 'one.json'], /no key with the id "nobody"/],
      ['a broken file', ['list', '--file', 'broken.json'], /is no JSON/],
      ['a name of two lines', ['create', '--name', 'a\nb'], /on one line/],
      [
        'a folder that there is not',
        ['create', '--name', 'a', '--file', 'no/such/k.json'],
        /Cannot write no\/such\/k\.json \(ENOENT\): no such folder\. Make its folder first/,
      ],
    ]),
  )('%s: one sentence, 1', async (_, args, message) => {
    const cwd = scratchFolder();
    writeFileSync(path.join(cwd, 'broken.json'), '{', { mode: 0o600 });
    writeFileSync(path.join(cwd, 'one.json'), '{"schema_version":1,"keys":[]}', { mode: 0o600 });
    expectRefusal(await cli(['keys', ...args], { cwd }), message);
  });

  it.each(
    sampled([
      ['create without a name', ['create'], /'--name <name>' not specified/],
      ['a lifetime that is none', ['create', '--name', 'a', '--expires', 'soon'], /such as 12h, 90d or 8w/],
      ['revoke without an id', ['revoke'], /missing required argument 'id'/],
    ]),
  )('%s: wrong usage, 2', async (_, args, message) => {
    expectRefusal(await cli(['keys', ...args]), message, 2);
  });
});
