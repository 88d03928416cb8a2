import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { runGate } from '../../evals/gate/index.ts';
import {
  readFrontier,
  readVerdict,
  sha256OfJson,
  type Verdict,
  type VerdictContent,
  writeFrontier,
  writeVerdict,
} from '../../router/artifact/index.ts';
import { copyOf, gateWorld } from '../gate/gate-world.ts';
import { gatewayForTest } from '../gateway/running-gateway.ts';
import { DAY_MS } from '../helpers/verdicts.ts';
import { dashboardServer, formToken, scratch, sendForm, signedIn, visit } from './dashboard-client.ts';

const STARTER = 'models/starter';

async function page(url: string, place = ''): Promise<string> {
  return (await visit(`${url}/dashboard/frontier${place}`)).text();
}

function factsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/<dd data-fact="(\w+)">([^<]*)</g)].map(([, name, words]) => [name!, words!]),
  );
}

/** It takes no space. */
function layHugeFile(file: string): void {
  writeFileSync(file, '');
  truncateSync(file, 210e6);
}

/** The starter in a folder of its own. */
function copied(): string {
  const folder = path.join(scratch(), 'copied');
  cpSync(STARTER, folder, { recursive: true });
  return folder;
}

describe('the frontier that ships with the starter', () => {
  const verdict = readVerdict(STARTER)!;
  const { points } = readFrontier(STARTER, verdict)!;

  test('has the point of the verdict with its figures, loses more as less is escalated, and no bound below its mean', () => {
    const own = points.find(({ threshold }) => threshold === verdict.policy.threshold)!;
    const loss = verdict.conditions.find(({ name }) => name === 'quality-loss')!;
    expect(own).toMatchObject({ quality_loss: loss.value, loss_upper: loss.bounds.upper });
    expect(own.escalation_rate).toBeCloseTo(verdict.evidence['escalation_rate'] as number, 12);
    expect(points.length).toBeGreaterThan(20);
    for (const [i, point] of points.entries()) {
      expect(point.loss_upper!).toBeGreaterThanOrEqual(point.quality_loss!);
      if (i > 0) {
        expect(point.threshold).toBeGreaterThan(points[i - 1]!.threshold);
        expect(point.escalation_rate).toBeLessThanOrEqual(points[i - 1]!.escalation_rate);
      }
    }
    expect([points[0]!.escalation_rate, points[0]!.quality_loss]).toEqual([1, 0]);
  });

  test('the page begins at the threshold that serves, which needs no further proof', async () => {
    const { url } = await gatewayForTest({ config: { artifact: STARTER, profiles: {} } });
    const facts = factsOf(await page(url));
    expect(facts).toMatchObject({
      escalated: '63.3\u00a0% of requests',
      saved: 'not known, as not every cost is',
      lost: '2.4 points',
      upper: '4.9 points (bound)',
      threshold: '0.224',
    });
    expect(facts['needed']).toBe('nothing more: the verdict proves it at a margin of 5.0 points');
  });

  test('without a script a number asks for another point, and a margin for what it takes to prove it', async () => {
    const { url } = await gatewayForTest({ config: { artifact: STARTER, profiles: {} } });
    const half = factsOf(await page(url, '?share=50&margin=10'));
    expect(half['escalated']).toMatch(/^(49|50|51)\.\d/);
    expect(half['needed']).toMatch(/^about [\d,]+ fresh test requests at a margin of 10\.0 points$/);
    const stricter = factsOf(await page(url, '?share=80&margin=5'));
    expect(Number(stricter['threshold'])).toBeLessThan(0.224);
    expect(stricter['needed']).not.toContain('nothing more'); // only what was tried is proved
    const none = factsOf(await page(url, '?share=0&margin=5'));
    expect(none['needed']).toBe('not at a margin of 5.0 points: it loses as much or more');
    expect(await page(url, '?share=&margin=')).not.toContain('role="alert"');
    for (const [share, margin] of [
      ['x', '-3'],
      ['1e999', 'NaN'],
      ['-1', '0'],
      ['101', '100.5'],
      ['0x10', '0x10'],
      ['1_0', '0b1'],
      ['Infinity', '1e999'],
    ]) {
      const odd = await page(url, `?share=${share}&margin=${margin}`);
      expect(factsOf(odd)['threshold']).toBe('0.224');
      expect(odd).toContain(`The share ${share} is no number from 0 to 100.`);
      expect(odd).toContain(
        `The margin ${margin} is no number above 0 and up to 100. Shown is one of 5.0 points, as the verdict has it.`,
      );
    }
    const least = Number(/name="margin" min="([^"]+)"/.exec(await page(url))![1]);
    expect(least).toBeGreaterThan(0);
    const tiny = await page(url, '?margin=1e-9');
    expect(tiny).toMatch(/name="margin"[^>]* value="1e-9"/);
    expect(factsOf(tiny)['needed']).toMatch(/at a margin of 1e-9 points/);
    expect(factsOf(await page(url, '?margin=3.25'))['needed']).toMatch(/at a margin of 3\.25 points/);
    expect((await visit(`${url}/dashboard/frontier?artifact=../../etc`)).status).toBe(404);
  });
});

test('a PASS whose term has ended is said to have expired', async () => {
  const folder = copied();
  const { sha256: _, ...content } = readVerdict(folder) as Verdict;
  const { points } = readFrontier(folder, readVerdict(folder)!)!;
  const { url } = await gatewayForTest({ config: { artifact: folder, profiles: {}, allow_ungated: true } });
  const issued = new Date(Date.now() - 30 * DAY_MS - 60_000);
  const pageWith = async (changes: Partial<VerdictContent>) => {
    const changed = { ...content, issued: issued.toISOString(), ...changes };
    const verdict = { ...changed, sha256: sha256OfJson(changed) };
    writeVerdict(folder, verdict);
    writeFrontier(folder, verdict, points);
    const text = await page(url);
    expect(text).toContain('data-frontier=');
    return text;
  };
  const day = new Date(issued.getTime() + 10 * DAY_MS).toISOString().slice(0, 10);
  expect(await pageWith({ valid_for_days: 10 })).toContain(`The PASS expired on ${day} (20 days ago).`);
  expect(await pageWith({ valid_for_days: 40 })).not.toContain('expired');
  expect(await pageWith({ valid_for_days: 10, verdict: 'FAIL' })).not.toContain('expired'); // a FAIL has no term
});

describe('an artifact without a frontier', () => {
  test('says which command makes it; so does one that was edited, or is of another verdict', async () => {
    const folder = copied();
    const file = path.join(folder, 'frontier.json');
    const { url } = await gatewayForTest({ config: { artifact: folder, profiles: {} } });
    expect(await page(url)).toContain('data-frontier=');
    const whole = readFileSync(file, 'utf8');
    writeFileSync(file, whole.replace('"quality_loss":0,', '"quality_loss":0.5,'));
    expect(await page(url)).toContain('was changed after the gate wrote it');
    writeFileSync(file, '{');
    expect(await page(url)).toContain('There is no frontier to draw');
    rmSync(file);
    const text = await page(url);
    expect(text).toMatch(
      /There is a verdict of \d{4}-\d\d-\d\d in its folder, and no frontier\.json beside it/,
    );
    expect(text).toContain('the file was removed');
    expect(text).toContain(`npm run -s plimsoll -- gate --artifact ${folder} --suite suite.yaml`);
  });
});

describe('what was laid in the place of frontier.json', () => {
  test.each([
    ['a file of 210 MB', layHugeFile],
    ['a pipe that nobody writes to', (file: string) => void execFileSync('mkfifo', [file])],
  ])('%s does not hold the server up', async (_, lay) => {
    const folder = copied();
    const file = path.join(folder, 'frontier.json');
    rmSync(file);
    lay(file);
    const { url } = await gatewayForTest({ config: { artifact: folder, profiles: {} } });
    const text = await page(url);
    expect(text).toContain('There is no frontier to draw');
    expect(text).toMatch(
      /frontier\.json (has 210,000,000 bytes, and at most 1,048,576 are read|is no file)\. Run the gate again/,
    );
  });
});

describe('an artifact whose threshold is fixed', () => {
  /** Gated as it is: its threshold is one that the walk of the same artifact would not end at. */
  async function gatedAtFixedThreshold() {
    const world = await gateWorld();
    const artifact = copyOf(world.artifact);
    const file = path.join(artifact, 'manifest.json');
    const manifest = JSON.parse(readFileSync(file, 'utf8'));
    const { walk_from: _, expected: __, ...policy } = manifest.policy;
    const fixed = { ...policy, threshold: 0.1, chosen_by: { rule: 'fixed-threshold' } };
    writeFileSync(file, JSON.stringify({ ...manifest, policy: fixed }));
    const { verdict } = await runGate({ artifact, suite: world.suite, data: [world.data], write: true });
    return { artifact, verdict };
  }

  test('says that the gate judges that one alone, and makes another artifact for another threshold', async () => {
    const { artifact, verdict } = await gatedAtFixedThreshold();
    expect(verdict.walk).toMatchObject({ from: 0.1, to: 0.1 });
    const points = readFrontier(artifact, verdict)!.points;
    const other = points.find(({ threshold }) => threshold > 0.15 && threshold < 0.5)!;
    const { url, keys } = await dashboardServer({ artifact, profiles: {}, allow_ungated: true });
    const headers = await signedIn(url, keys.operate.key);
    const form = await formToken(url, headers);
    const share = (100 * other.escalation_rate).toFixed(3);
    const shown = await visit(`${url}/dashboard/frontier?share=${share}&margin=20`, { headers });
    const facts = factsOf(await shown.text());
    expect(facts['threshold']).toBe(String(other.threshold));
    expect(facts['needed']).toMatch(/, of another artifact: the gate judges this one at 0\.1 alone$/);
    const commandsFor = async (threshold: number) => {
      const fields = { artifact: 'made', threshold: String(threshold), margin: '0.2', sure: 'yes', form };
      const done = await sendForm(url, '/dashboard/make-candidate', fields, headers);
      return (await visit(`${url}${done.headers.get('location')}`, { headers })).text();
    };
    const own = await commandsFor(0.1);
    expect(own).toContain('fixed at 0.1: it judges that one, and no other');
    expect(own).toContain('cp -r ');
    expect(own).not.toContain('loosest threshold');
    const another = await commandsFor(other.threshold);
    expect(another).toContain(`fixed at 0.1, and the gate would judge that one, not ${other.threshold}`);
    expect(another).toMatch(
      /plimsoll -- calibrate --artifact \S+ --data labelled\.jsonl --max-quality-loss 0\.2/,
    );
    expect(another).not.toContain('cp -r ');
  });
});

describe('a candidate', () => {
  const fields = { artifact: 'starter', threshold: '0.224', margin: '0.03', sure: 'yes' };

  test('takes the role operate, a confirmation and the form of the session; then gives commands, and changes nothing', async () => {
    const { url, keys } = await dashboardServer({ artifact: STARTER, profiles: {} });
    const viewer = await signedIn(url, keys.view.key);
    expect(await (await visit(`${url}/dashboard/frontier`, { headers: viewer })).text()).toContain(
      'role operate can make this point',
    );
    const form = await formToken(url, viewer);
    const refused = await sendForm(url, '/dashboard/make-candidate', { ...fields, form }, viewer);
    expect(refused.status).toBe(403);

    const operator = await signedIn(url, keys.operate.key);
    const own = await formToken(url, operator);
    const foreign = await sendForm(url, '/dashboard/make-candidate', { ...fields, form: 'other' }, operator);
    expect(foreign.status).toBe(403);
    const pageAfter = async (sent: Record<string, string>) => {
      const done = await sendForm(url, '/dashboard/make-candidate', { ...sent, form: own }, operator);
      expect(done.status).toBe(303);
      return (await visit(`${url}${done.headers.get('location')}`, { headers: operator })).text();
    };
    expect(await pageAfter({ ...fields, sure: '' })).toContain('was not confirmed');
    expect(await pageAfter({ ...fields, threshold: '0.5"; rm -rf ~' })).toContain(
      'has not measured this threshold',
    );
    expect(await pageAfter({ ...fields, margin: '7' })).toContain('must be above 0');
    const text = await pageAfter(fields);
    expect(text).toContain('A candidate of starter at the threshold 0.224');
    expect(text).toContain('plimsoll -- plan --from');
    expect(text).toContain('It finds the loosest threshold that it can prove at this margin.');
    expect(text).toContain('max_quality_loss: 0.03');
    expect(await pageAfter({ ...fields, margin: '1e-9' })).toContain('max_quality_loss: 1e-9');
    expect(text).toMatch(/plimsoll -- gate --artifact \S*models\/starter-candidate --suite candidate\.yaml/);
  });
});

test('the report of a verdict is a page of its own, with the same sentence', async () => {
  const { url } = await gatewayForTest({ config: { artifact: STARTER, profiles: {} } });
  const verdicts = await (await visit(`${url}/dashboard/verdicts`)).text();
  const sentence = /<p class="summary">([^<]+)</.exec(verdicts)![1]!;
  expect(sentence).toMatch(/^Sending 37\u00a0% of requests to small-models loses at most 4\.9 points/);
  const link = /href="(\/dashboard\/verdicts\/[0-9a-f]{12})"/.exec(verdicts)![1]!;
  const report = await (await visit(`${url}${link}`)).text();
  expect(report).toContain(sentence);
  expect(report).toContain('class="quality-chart"');
  expect(report).not.toMatch(/<style|style=|NaN|undefined/);
  expect((await visit(`${url}/dashboard/verdicts/${'0'.repeat(12)}`)).status).toBe(404);
});
