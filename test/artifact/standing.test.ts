import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ArtifactFiles, readArtifact, writeArtifact } from '../../router/artifact/artifact-files.ts';
import {
  type NoPass,
  requirePass,
  type Standing,
  servedPolicy,
  standingAt,
  standingInFolder,
  standingOf,
} from '../../router/artifact/standing.ts';
import type { Condition, VerdictContent } from '../../router/artifact/verdict.ts';
import {
  type EarlierVerdict,
  earlierVerdictOf,
  layEarlierVerdict,
  layVerdict,
  PASSED,
  verdictOf,
} from '../helpers/verdicts.ts';
import { draft, scratchFolder } from './draft.ts';

const ISSUED = '2026-03-01T12:00:00.000Z';
const EXPIRES = '2026-05-30T12:00:00.000Z'; // 90 days later
const IN_TIME = new Date('2026-04-01T00:00:00.000Z');

const FAILED: Condition = {
  ...PASSED,
  name: 'slice/law',
  verdict: 'FAIL',
  value: 0.05123456,
  bounds: { lower: 0.03, upper: 0.08 },
  n: 321,
};
const UNDECIDED: Condition = {
  ...PASSED,
  name: 'recall',
  verdict: 'INCONCLUSIVE',
  value: null,
  bounds: { lower: null, upper: 1 },
  limits: { min: 0.9 },
  n: 12,
  further_cases: 40,
};

let artifact: ArtifactFiles;
beforeAll(() => {
  artifact = {
    folder: 'models/made-up',
    manifest: { ...draft.manifest, files: {} },
    golden: draft.golden,
    classifier: draft.classifier,
    modelCard: draft.modelCard,
    seenQuestions: draft.seenQuestions,
    sha256: 'a'.repeat(64),
  };
});

function standing(changes: Partial<VerdictContent> = {}, now = IN_TIME) {
  return standingOf(artifact, verdictOf(artifact, { issued: ISSUED, ...changes }), now);
}

/** Of a verdict of version 1. */
function earlierStanding(changes: Partial<Omit<EarlierVerdict, 'sha256'>> = {}, now = IN_TIME) {
  return standingOf(artifact, earlierVerdictOf(artifact, { issued: ISSUED, ...changes }), now);
}

/** The artifact's policy, at another threshold than its manifest's .1. */
const LOOSER = { name: 'default', version: 1, threshold: 0.2 };

describe('standingOf', () => {
  const term = { suite: 'made-up-suite', issued: ISSUED, expires: EXPIRES };

  it('a PASS in time, with its suite, its threshold and its term', () => {
    expect(standing()).toEqual({ kind: 'pass', ...term, threshold: 0.1 });
    expect(earlierStanding()).toEqual({ kind: 'pass', ...term, threshold: 0.1 });
  });

  it('version 2 has a threshold of its own; version 1 counts for the threshold of the manifest alone', () => {
    expect(standing({ policy: LOOSER })).toEqual({ kind: 'pass', ...term, threshold: 0.2 });
    expect(earlierStanding({ policy: LOOSER })).toEqual({
      kind: 'none',
      reason: 'other-policy',
      why: expect.stringMatching(
        /of the policy default v1 with threshold 0\.2, and the artifact's is default v1 with threshold 0\.1\./,
      ),
    });
  });

  it('version 1 is trusted no more than version 2', () => {
    expect(earlierStanding({ artifact: { name: 'elsewhere', sha256: 'b'.repeat(64) } })).toMatchObject({
      reason: 'other-artifact',
    });
    expect(earlierStanding({ policy: { name: 'default', version: 2, threshold: 0.1 } })).toMatchObject({
      reason: 'other-policy',
    });
    expect(earlierStanding({ conditions: [FAILED] })).toMatchObject({ reason: 'edited' });
    expect(earlierStanding({ verdict: 'FAIL', conditions: [FAILED] })).toMatchObject({
      reason: 'not-passed',
    });
    const yearsBefore = new Date('2020-01-01');
    expect(earlierStanding({}, yearsBefore)).toMatchObject({ reason: 'in-the-future' });
  });

  it('no verdict: says which command gives one', () => {
    expect(standingOf(artifact, undefined, IN_TIME)).toEqual({
      kind: 'none',
      reason: 'no-verdict',
      why: 'models/made-up has no verdict: the gate has not run on it. Run `npm run -s plimsoll -- gate --artifact models/made-up --suite <suite>`.',
    });
  });

  it.each<[NoPass, Partial<VerdictContent>, RegExp]>([
    [
      'other-artifact',
      { artifact: { name: 'elsewhere', sha256: 'b'.repeat(64) } },
      /of another artifact: of elsewhere, .* bbbbbbbbbbbb…, and here it is aaaaaaaaaaaa…/,
    ],
    [
      'other-policy',
      { policy: { name: 'default', version: 2, threshold: 0.2 } },
      /of the policy default v2 with threshold 0\.2, and the artifact's is default v1 with threshold 0\.1\./,
    ],
    ['other-policy', { policy: { name: 'other', version: 1, threshold: 0.1 } }, /policy other v1 /],
    [
      'not-passed',
      { verdict: 'FAIL', conditions: [PASSED, UNDECIDED, FAILED] },
      /said FAIL of models\/made-up by the suite made-up-suite: slice\/law is FAIL: value 0\.05123, bounds 0\.03 to 0\.08, limit at most 0\.02, n 321\./,
    ],
    [
      'not-passed',
      { verdict: 'INCONCLUSIVE', conditions: [PASSED, UNDECIDED] },
      /said INCONCLUSIVE .*: recall is INCONCLUSIVE: value undefined, bounds undefined to 1, limit at least 0\.9, n 12, about 40 further cases would decide\./,
    ],
    [
      'not-passed',
      { verdict: 'INCONCLUSIVE', conditions: [{ ...UNDECIDED, note: 'nobody can say how many' }] },
      /n 12, about 40 further cases would decide, nobody can say how many\./,
    ],
    ['not-passed', { verdict: 'FAIL' }, /said FAIL .* though each of its conditions is PASS/],
    [
      'edited',
      { verdict: 'PASS', conditions: [PASSED, FAILED] },
      /says PASS, better than its own conditions: slice\/law is FAIL/,
    ],
    ['edited', { verdict: 'INCONCLUSIVE', conditions: [UNDECIDED, FAILED] }, /says INCONCLUSIVE, better/],
  ])('%s', (reason, changes, why) => {
    expect(standing(changes)).toEqual({ kind: 'none', reason, why: expect.stringMatching(why) });
  });

  it('expires on the instant, and says since when and what to do', () => {
    const justBefore = new Date(Date.parse(EXPIRES) - 1);
    expect(standing({}, justBefore).kind).toBe('pass');
    expect(standing({}, new Date(EXPIRES))).toEqual({
      kind: 'expired',
      ...term,
      threshold: 0.1,
      why: `The PASS of models/made-up by the suite made-up-suite, issued ${ISSUED}, expired on ${EXPIRES}. Gate it again: \`npm run -s plimsoll -- gate --artifact models/made-up --suite <suite>\`.`,
    });
  });

  it('version 1 counts until it expires, not longer', () => {
    expect(earlierStanding({}, new Date(Date.parse(EXPIRES) - 1)).kind).toBe('pass');
    expect(earlierStanding({}, new Date(EXPIRES))).toEqual(standing({}, new Date(EXPIRES)));
  });

  it('counts the days of the verdict', () => {
    expect(standing({ valid_for_days: 30 }, IN_TIME).kind).toBe('expired');
    expect(standing({ valid_for_days: 2 ** 50 }, IN_TIME)).toMatchObject({
      kind: 'pass',
      expires: '9999-12-31T00:00:00.000Z',
    });
  });

  it('a FAIL does not become anything better by expiring', () => {
    expect(standing({ verdict: 'FAIL' }, new Date('2030-01-01'))).toMatchObject({ reason: 'not-passed' });
  });

  it('issued in the future: a day is allowed to the clocks, more is not', () => {
    const dayBefore = Date.parse(ISSUED) - 86_400_000;
    expect(standing({}, new Date(dayBefore)).kind).toBe('pass');
    expect(standing({}, new Date(dayBefore - 1))).toEqual({
      kind: 'none',
      reason: 'in-the-future',
      why: `The verdict was issued on ${ISSUED}, and by the clock of this machine it is 2026-02-28T11:59:59.999Z. Set the clock.`,
    });
  });
});

describe('standingAt', () => {
  it('is the same standing until it runs out', () => {
    const pass = standing();
    expect(standingAt(pass, Date.parse(EXPIRES) - 1, artifact.folder)).toBe(pass);
    expect(standingAt(pass, Date.parse(EXPIRES), artifact.folder)).toMatchObject({ kind: 'expired' });
  });
});

describe('servedPolicy', () => {
  it('has the threshold of the verdict while that counts, and after it has expired', () => {
    const { policy } = artifact.manifest;
    for (const now of [IN_TIME, new Date(EXPIRES)]) {
      expect(servedPolicy(artifact.manifest, standing({ policy: LOOSER }, now))).toEqual({
        ...policy,
        threshold: 0.2,
      });
      expect(servedPolicy(artifact.manifest, earlierStanding({}, now))).toEqual(policy);
    }
  });

  it.each<[string, () => Standing]>([
    ['no verdict', () => standingOf(artifact, undefined, IN_TIME)],
    ['a FAIL', () => standing({ policy: LOOSER, verdict: 'FAIL', conditions: [FAILED] })],
    [
      'a verdict of another artifact',
      () => standing({ policy: LOOSER, artifact: { name: 'elsewhere', sha256: 'b'.repeat(64) } }),
    ],
    ['version 1 of another threshold', () => earlierStanding({ policy: LOOSER })],
  ])('has the preview of the manifest with %s', (_, get) => {
    expect(servedPolicy(artifact.manifest, get())).toBe(artifact.manifest.policy);
  });
});

describe('requirePass', () => {
  it('refuses with the reason whatever is no valid PASS', () => {
    expect(() => requirePass(standing())).not.toThrow();
    for (const refused of [standing({}, new Date(EXPIRES)), standing({ verdict: 'FAIL' })]) {
      expect(() => requirePass(refused)).toThrow(
        expect.objectContaining({ code: 'ungated', message: 'why' in refused ? refused.why : '' }),
      );
    }
  });
});

describe('standingInFolder', () => {
  it('reads the verdict that lies there, and does not trip over one that cannot be read', () => {
    const folder = path.join(scratchFolder(), 'made-up');
    writeArtifact(folder, draft);
    const files = readArtifact(folder);
    const now = new Date();
    expect(standingInFolder(files, now)).toMatchObject({ kind: 'none', reason: 'no-verdict' });
    layVerdict(folder);
    expect(standingInFolder(files, now)).toMatchObject({ kind: 'pass' });
    layVerdict(folder, { policy: LOOSER });
    expect(standingInFolder(files, now)).toMatchObject({ kind: 'pass', threshold: 0.2 });
    layEarlierVerdict(folder);
    expect(standingInFolder(files, now)).toMatchObject({ kind: 'pass', threshold: 0.1 });
    layEarlierVerdict(folder, { policy: LOOSER });
    expect(standingInFolder(files, now)).toMatchObject({ kind: 'none', reason: 'other-policy' });
    const file = path.join(folder, 'verdict.json');
    writeFileSync(file, '{"schema_version": 1,');
    expect(standingInFolder(files, now)).toEqual({
      kind: 'none',
      reason: 'unreadable',
      why: `${file} is not valid JSON.`,
    });
  });
});
