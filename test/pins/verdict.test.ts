import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { scratchFolder } from '../cli/run-cli.ts';
import { CHEAP, LENIENT, labelledCases, STRICT, STRONG } from './labelled-cases.ts';
import { expectPinned, pinnedJson, ROOT, sha256 } from './pinned.ts';
import { plimsoll } from './plimsoll.ts';

const HOME = scratchFolder();
const ISSUED = ['--issued', '2026-01-02T00:00:00.000Z'];
const CREATED = ['--created', '2026-01-01T00:00:00.000Z'];
const { version: VERSION } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));

/**
 * The text without the version of Plimsoll, which is in manifests and verdicts, and without the hashes that it changes: `own`, by what
 * they are of.
 */
function steady(text: string, own: Readonly<Record<string, string>> = {}): string {
  const unversioned = text.replaceAll(`"plimsoll": "${VERSION}"`, '"plimsoll": "<version>"');
  return Object.entries(own).reduce(
    (so, [name, hash]) =>
      so.replace(new RegExp(`${hash.slice(0, 12)}[0-9a-f]*`, 'g'), `<sha256 of the ${name}>`),
    unversioned,
  );
}

/** sha256 of each file of a folder. */
function hashesOf(folder: string, own: Readonly<Record<string, string>> = {}): Record<string, string> {
  const names = readdirSync(path.join(HOME, folder)).sort();
  return Object.fromEntries(
    names.map((name) => {
      const bytes = readFileSync(path.join(HOME, folder, name));
      return [name, sha256(/\.(onnx|bin)$/.test(name) ? bytes : steady(bytes.toString('utf8'), own))];
    }),
  );
}

beforeAll(async () => {
  writeFileSync(path.join(HOME, 'cases.jsonl'), labelledCases());
  for (const suite of [STRICT, LENIENT]) {
    writeFileSync(path.join(HOME, `${suite.name}.yaml`), JSON.stringify(suite)); // JSON is YAML
  }
  copyFileSync(path.join(ROOT, 'evals/suites/hard-cases.jsonl'), path.join(HOME, 'hard-cases.jsonl'));
  const ladder = ['--cheap', CHEAP, '--strong', STRONG, '--out', 'models/pinned'];
  const rule = ['--max-quality-loss', '0.08', '--folds', '2'];
  const args = ['train', '--data', 'cases.jsonl', ...ladder, ...rule, ...CREATED];
  const { code, stdout, stderr } = await plimsoll(args, HOME);
  expect(code, stderr).toBe(0);
  expectPinned('train.txt', stdout);
});

test('training gives the artifact that it gave', () => {
  const manifest = readFileSync(path.join(HOME, 'models/pinned/manifest.json'), 'utf8');
  expectPinned('artifact-files.json', pinnedJson(hashesOf('models/pinned')));
  expectPinned('artifact-manifest.json', steady(manifest));
});

test.each([
  [STRICT.name, 'FAIL'],
  [LENIENT.name, 'PASS'],
])('the gate with the suite %s gives the verdict and the reports that it gave: %s', async (suite, word) => {
  const inputs = ['--artifact', 'models/pinned', '--suite', `${suite}.yaml`, '--data', 'cases.jsonl'];
  const reports = `reports-${suite}`;
  const { code, stdout } = await plimsoll(
    ['gate', ...inputs, ...ISSUED, '--reports', reports, '--texts'],
    HOME,
  );
  const report = (name: string) => readFileSync(path.join(HOME, reports, name), 'utf8');
  const whole = JSON.parse(report('verdict.json'));
  const { verdict, sealed, conditions } = whole;
  const own = { verdict: whole.sha256, artifact: whole.artifact.sha256 };
  expect(verdict).toBe(word);
  const hashes = { reports: hashesOf(reports, own), artifact: hashesOf('models/pinned', own) };
  expectPinned(`gate-${suite}.json`, pinnedJson({ code, verdict, sealed, conditions, ...hashes }));
  expectPinned(`gate-${suite}.md`, steady(report('report.md'), own));
  expectPinned(`gate-${suite}.xml`, steady(report('report.xml'), own));
  expectPinned(`gate-${suite}.txt`, stdout);
  const looks = readFileSync(path.join(HOME, 'models/looks.jsonl'), 'utf8');
  expectPinned(`gate-${suite}-looks.jsonl`, steady(looks, own));
});

test('the gate on what ships gives the starter the verdict that it gave', async () => {
  const suite = path.join(ROOT, 'evals/suites/starter.yaml');
  const artifact = path.join(ROOT, 'models/starter');
  const args = ['gate', '--artifact', artifact, '--suite', suite, '--check', '--json', ...ISSUED];
  const { code, stdout } = await plimsoll(args, HOME);
  const { verdict, sealed, conditions, sha256: own } = JSON.parse(stdout);
  const hash = sha256(steady(stdout, { verdict: own }));
  expectPinned('gate-shipped.json', pinnedJson({ code, verdict, sealed, conditions, sha256: hash }));
});
