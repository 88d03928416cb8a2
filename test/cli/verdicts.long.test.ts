import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { layRecordedVerdict } from '../helpers/recorded-verdict.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';
import { copyAs, LOOK, layVerdict, PASSED } from '../helpers/verdicts.ts';
import { cli, ended, expectRefusal, jsonOf, scratchFolder, startCli, told } from './run-cli.ts';

const { folder: TINY } = await tinyArtifact();
const PROMPT = 'What is the capital of France?';

/** A store in a folder of its own, its artifacts with a PASS. Commands are run in the folder above it. */
function store(...names: string[]): { cwd: string; models: string } {
  const cwd = scratchFolder();
  const models = path.join(cwd, 'models');
  for (const name of names) layRecordedVerdict(copyAs(TINY, path.join(models, name)));
  return { cwd, models };
}

const promoted = (cwd: string, name: string) => cli(['promote', '--artifact', `models/${name}`], { cwd });

describe('a store', () => {
  it('promote, rollback and artifacts: what serves, what served, what each verdict is', async () => {
    const { cwd, models } = store('a', 'b', 'c');
    rmSync(path.join(models, 'c', 'verdict.json'));
    layRecordedVerdict(path.join(models, 'b'), { policy: { name: 'default', version: 1, threshold: 0.25 } });
    expect((await promoted(cwd, 'a')).stdout).toMatch(/^models serves a \([0-9a-f]{12}\) since \d{4}-/);
    expect((await promoted(cwd, 'b/')).stdout).toMatch(/^models serves b /);
    const back = await cli(['rollback'], { cwd });
    expect(back).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^models serves a /) });
    const { stdout } = await cli(['artifacts'], { cwd });
    const lines = stdout.split('\n');
    expect(lines[2]).toMatch(/^\* a +[0-9a-f]{12} +2025-01-01 +0\.3000 +PASS until \d{4}-\d\d-\d\d$/);
    expect(lines[3]).toMatch(/^ {2}b .* 0\.2500 +PASS until/); // of its verdict
    expect(lines[4]).toMatch(/^ {2}c .* none$/);
    expect(stdout).toContain('c: models/c has no verdict: the gate has not run on it.');
    const listed = jsonOf(await cli(['artifacts', '--store', models, '--json']));
    expect(listed.artifacts).toMatchObject([
      { folder: 'a', current: true, verdict: { status: 'PASS', suite: 'made-up-suite' } },
      { folder: 'b', current: false, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      { folder: 'c', verdict: { status: 'none' } },
    ]);
  });

  it('what was gated in another folder, or without a record, is not promoted', async () => {
    const { cwd, models } = store('a');
    const { models: scratch } = store('b');
    cpSync(path.join(scratch, 'b'), path.join(models, 'b'), { recursive: true });
    for (const name of ['b', 'a'])
      expectRefusal(
        await promoted(cwd, name),
        /models\/b\/verdict\.json rests on the look [0-9a-f]{12}…, which/,
      );
    layVerdict(path.join(models, 'b'), { looks: { ...LOOK, record: null, head: null } });
    expectRefusal(await promoted(cwd, 'b'), /models\/b is of a look that was not put on record/);
    expect(await promoted(cwd, 'a')).toMatchObject({ code: 0 });
  });

  it('rollback checks the record of looks as promote does', async () => {
    const { cwd, models } = store('a', 'b');
    await promoted(cwd, 'a');
    await promoted(cwd, 'b');
    const record = path.join(models, 'looks.jsonl');
    const whole = readFileSync(record);
    rmSync(record);
    expectRefusal(await cli(['rollback'], { cwd }), /rests on the look [0-9a-f]{12}…, which/);
    writeFileSync(record, whole);
    layVerdict(path.join(models, 'a'), { looks: { ...LOOK, record: null, head: null } });
    expectRefusal(await cli(['rollback'], { cwd }), /models\/a is of a look that was not put on record/);
    expect(await promoted(cwd, 'b')).toMatchObject({ code: 0 });
  });

  it('route decides by the current artifact, and inspect says which it is', async () => {
    const { cwd } = store('a', 'b');
    layRecordedVerdict(path.join(cwd, 'models/b'), {
      policy: { name: 'default', version: 1, threshold: 0.25 },
    });
    await promoted(cwd, 'b');
    const decision = jsonOf(await cli(['route', PROMPT, '--artifact', 'models', '--json'], { cwd }));
    expect(decision).toMatchObject({ artifact: { name: 'b' }, threshold: 0.25, verdict: 'PASS' });
    const { stdout } = await cli(['inspect', 'models'], { cwd });
    expect(stdout).toMatch(/^artifact {3}b, made/);
    expect(stdout).toMatch(
      /\nverdict {4}PASS at threshold 0\.2500 by the suite made-up-suite, issued \d{4}-.*, expires \d{4}-/,
    );
  });

  it('what cannot be: one message', async () => {
    const { cwd, models } = store('a');
    expectRefusal(await cli(['rollback'], { cwd }), /no current\.json in models/);
    expectRefusal(await cli(['artifacts', '--store', 'nowhere'], { cwd }), /no folder nowhere/);
    expectRefusal(await promoted(cwd, 'nowhere'), /no artifact folder at models\/nowhere/);
    expectRefusal(
      await cli(['route', 'x', '--artifact', models]),
      /plimsoll -- promote --artifact .*models\/a/,
    );
    layVerdict(path.join(models, 'a'), { verdict: 'FAIL', conditions: [{ ...PASSED, verdict: 'FAIL' }] });
    expectRefusal(await promoted(cwd, 'a'), /said FAIL of models\/a .*: quality-loss is FAIL: value 0\.004,/);
  });
});

describe('inspect', () => {
  it.each([
    ['no file', (file: string) => rmSync(file), /^verdict {4}none: .* has no verdict/m],
    [
      'an edited word',
      (file: string) => writeFileSync(file, readFileSync(file, 'utf8').replace('"PASS"', '"FAIL"')),
      /^verdict {4}none: .*verdict\.json was changed after the gate wrote it/m,
    ],
    ['half a file', (file: string) => writeFileSync(file, '{"verdict":'), /none: .* not valid JSON/],
  ])('opens an artifact with %s, and says why its verdict does not count', async (_, change, said) => {
    const artifact = copyAs(TINY, path.join(scratchFolder(), 'own'));
    layVerdict(artifact);
    change(path.join(artifact, 'verdict.json'));
    const { code, stdout } = await cli(['inspect', artifact]);
    expect(code).toBe(0);
    expect(stdout).toMatch(said);
  });
});

describe('what has no valid PASS', () => {
  it.each(['serve', 'route'])('%s refuses in one line, and --allow-ungated lets it', async (command) => {
    const { cwd, models } = store('a');
    rmSync(path.join(models, 'a', 'verdict.json'));
    const args = command === 'serve' ? ['serve', '--port', '0'] : ['route', PROMPT];
    const refused = await cli([...args, '--artifact', 'models/a'], { cwd });
    expectRefusal(refused, /^plimsoll: models\/a has no verdict: .*plimsoll -- gate .* --allow-ungated\.$/m);
    expect(refused.stderr.trim().split('\n')).toHaveLength(1);
    const child = startCli([...args, '--artifact', 'models/a', '--allow-ungated'], { cwd });
    const end = ended(child);
    if (command === 'serve') {
      const warned = told(
        child,
        /"level":"warn".*"UNGATED, and allow_ungated is on: models\/a has no verdict/,
      );
      const [, url] = await told(child, /listens on (http:[^"]*)"/);
      await warned;
      await fetch(`${url}/healthz`);
      child.kill('SIGTERM');
    }
    const { code, stdout } = await end;
    expect(code).toBe(0);
    if (command === 'route') expect(stdout).toContain('verdict none');
  });
});

describe('serve and SIGHUP', () => {
  const config = (cwd: string, text: string) => writeFileSync(path.join(cwd, 'plimsoll.config.yaml'), text);
  const serving = (cwd: string) => {
    config(cwd, 'artifact: models/a\nreload_interval_ms: 0\nserver: { port: 0 }\n');
    const child = startCli(['serve'], { cwd });
    return { child, end: ended(child) };
  };
  const decide = async (url: string) => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ prompt: PROMPT });
    return (await fetch(`${url}/v1/route`, { method: 'POST', headers, body })).json();
  };

  it('reads the configuration again: another artifact and ladder; names what needs a restart', async () => {
    const { cwd } = store('a', 'b');
    const { child, end } = serving(cwd);
    const [, url] = await told(child, /listens on (http:[^"]*)"/);
    config(cwd, 'artifact: models/b\nladder: { cheap: other }\nlog_level: debug\nserver: { port: 1234 }\n');
    const restart = told(child, /"level":"warn".*"(.*) changed in the configuration: this needs a restart/);
    const reloaded = told(child, /"artifact":"b".*reloaded: this serves from now on/);
    child.kill('SIGHUP');
    expect((await restart)[1]).toBe('server, log_level, reload_interval_ms');
    await reloaded;
    expect(await decide(url!)).toMatchObject({ artifact: { name: 'b' }, model: 'other', stale: true });

    config(cwd, 'artifcat: x\n');
    const refused = told(child, /"level":"error".*artifcat.*not reloaded: what served before serves on/);
    child.kill('SIGHUP');
    await refused;
    expect(await decide(url!)).toMatchObject({ artifact: { name: 'b' } });
    child.kill('SIGTERM');
    expect(await end).toMatchObject({ code: 0, stdout: '' });
  });

  it('does not cut off a request that is being drained', async () => {
    const { cwd } = store('a');
    const { child, end } = serving(cwd);
    const [, port] = await told(child, /listens on http:\/\/127\.0\.0\.1:(\d+)/);
    const body = JSON.stringify({ prompt: PROMPT });
    const socket = connect(Number(port), '127.0.0.1');
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk;
    });
    const hungUp = new Promise((resolve) => socket.on('close', resolve));
    const head = `POST /v1/route HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    socket.write(head + body.slice(0, 5));
    await fetch(`http://127.0.0.1:${port}/healthz`);
    const draining = told(child, /SIGTERM: finishing/);
    child.kill('SIGTERM');
    await draining;
    const again = told(child, /SIGHUP: reading/);
    child.kill('SIGHUP');
    await again;
    socket.write(body.slice(5));
    await hungUp;
    expect(heard).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(await end).toMatchObject({ code: 0 });
  });
});
