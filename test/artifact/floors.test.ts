import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readArtifact, writeArtifact } from '../../router/artifact/artifact-files.ts';
import type { Floors } from '../../router/artifact/floors.ts';
import {
  createKeyPair,
  readPrivateKey,
  readPublicKey,
  signVerdict,
} from '../../router/artifact/signature.ts';
import { standingAt, standingInFolder } from '../../router/artifact/standing.ts';
import type { VerdictContent } from '../../router/artifact/verdict.ts';
import { DAY_MS, LOOK, layEarlierVerdict, layVerdict, PASSED } from '../helpers/verdicts.ts';
import { draft, scratchFolder } from './draft.ts';

const ISSUED = '2026-03-01T12:00:00.000Z';
const daysLater = (days: number) => new Date(Date.parse(ISSUED) + days * DAY_MS);
const SUITE = `0123456789ab${'c'.repeat(52)}`;

/** An artifact with a verdict, and its standing under floors. */
function gated(changes: Partial<VerdictContent> = {}) {
  const folder = path.join(scratchFolder(), 'made-up');
  writeArtifact(folder, draft);
  layVerdict(folder, { issued: ISSUED, suite: { name: 'mine', sha256: SUITE }, ...changes });
  const under = (floors: Floors, now = daysLater(1)) => standingInFolder(readArtifact(folder), now, floors);
  return { folder, under };
}

const lossWith = (changes: Partial<typeof PASSED>) => ({ conditions: [{ ...PASSED, ...changes }] });

describe('floors', () => {
  it.each<[string, Floors]>([
    ['no floor', {}],
    ['the confidence of the verdict', { minConfidence: 0.95 }],
    ['a lower confidence', { minConfidence: 0.5 }],
    ['the margin of the verdict', { maxQualityLoss: 0.02 }],
    ['a wider margin', { maxQualityLoss: 1 }],
    ['the suite among others', { suites: ['f'.repeat(64), SUITE] }],
    ['the beginning of its hash', { suites: ['0123456789ab'] }],
    ['more days', { maxValidForDays: 365 }],
  ])('%s: a PASS passes as it is', (_, floors) => {
    const { under } = gated();
    expect(under(floors)).toEqual(under({}));
    expect(under(floors).kind).toBe('pass');
  });

  it('the confidence that counts is that of the suite, not that of one look', () => {
    const { under } = gated({
      ...lossWith({ confidence: 0.95 }),
      looks: { ...LOOK, confidence: 0.5, delta: 0.05 },
    });
    expect(under({ minConfidence: 0.5 }).kind).toBe('pass');
    expect(under({ minConfidence: 0.95 })).toMatchObject({ kind: 'none', reason: 'below-floor' });
  });

  it('a later look, which may spend less, has no higher confidence for it', () => {
    const { under } = gated({
      ...lossWith({ confidence: 0.9924 }),
      looks: { ...LOOK, number: 2, delta: 0.0076 },
    });
    expect(under({ minConfidence: 0.95 }).kind).toBe('pass');
    expect(under({ minConfidence: 0.96 }).kind).toBe('none');
  });

  it.each([
    ['1', (folder: string) => layEarlierVerdict(folder, { issued: ISSUED })],
    [
      '2, from before the suite had its confidence in it,',
      (folder: string) => {
        const { confidence: _, ...looks } = LOOK;
        return layVerdict(folder, { issued: ISSUED, looks });
      },
    ],
  ])(
    'a verdict of version %s does not say the confidence of its suite: it passes no floor of it',
    (_, lay) => {
      const { folder, under } = gated();
      lay(folder);
      expect(under({ maxQualityLoss: 0.9 }).kind).toBe('pass');
      expect(under({ minConfidence: 0.5 })).toEqual({
        kind: 'none',
        reason: 'below-floor',
        why: expect.stringMatching(
          /does not say the confidence of its suite, as verdicts of earlier versions do not, and gate\.min_confidence asks for 0\.5\. Set confidence: 0\.5 in the suite, and gate it again/,
        ),
      });
    },
  );

  it.each<[string, Floors, Partial<VerdictContent>, RegExp]>([
    [
      'below-floor',
      { minConfidence: 0.95 },
      { looks: { ...LOOK, confidence: 0.5 } },
      /by the suite mine has the confidence 0\.5 over all looks, and gate\.min_confidence asks for 0\.95\. Set confidence: 0\.95 in the suite, and gate it again: `npm run -s plimsoll -- gate --artifact /,
    ],
    [
      'below-floor',
      { maxQualityLoss: 0.02 },
      lossWith({ limits: { max: 0.04 } }),
      /allows a quality loss of 0\.04, and gate\.max_quality_loss allows only 0\.02\. Set max_quality_loss: 0\.02 in the suite/,
    ],
    [
      'below-floor',
      { maxQualityLoss: 0.9 },
      lossWith({ name: 'slice/law' }),
      /has no limit of the quality loss, and gate\.max_quality_loss asks for one/,
    ],
    [
      'below-floor',
      { maxQualityLoss: 0.9 },
      lossWith({ limits: {} }),
      /has no limit of the quality loss, and gate\.max_quality_loss asks for one/,
    ],
    [
      'other-suite',
      { suites: ['0123456789ac', SUITE.slice(1)] },
      {},
      new RegExp(
        `by the suite mine with the sha256 ${SUITE}, which gate\\.suites does not list\\. Gate it by`,
      ),
    ],
  ])(
    '%s under %o: it is none, and says which floor, what it has and what to do',
    (reason, floors, changes, why) => {
      const { under } = gated(changes);
      expect(under({}).kind).toBe('pass');
      expect(under(floors)).toEqual({ kind: 'none', reason, why: expect.stringMatching(why) });
    },
  );

  it('what is below a floor is none after it has expired, too', () => {
    const { under } = gated({ looks: { ...LOOK, confidence: 0.5 } });
    expect(under({ minConfidence: 0.9 }, daysLater(91))).toMatchObject({
      kind: 'none',
      reason: 'below-floor',
    });
  });

  it('a verdict that is no PASS by itself says so, and no floor', () => {
    const { under } = gated({ verdict: 'FAIL', ...lossWith({ verdict: 'FAIL' }) });
    expect(under({ minConfidence: 0.9, suites: ['f'.repeat(12)] })).toMatchObject({ reason: 'not-passed' });
  });
});

describe('max_valid_for_days', () => {
  const FLOORS = { maxValidForDays: 30 };

  it('ends a term that is longer: on the instant, while it is relied on too, and names the floor', () => {
    const { folder, under } = gated({ valid_for_days: 36_500 });
    const pass = under(FLOORS, new Date(daysLater(30).getTime() - 1));
    expect(pass).toMatchObject({ kind: 'pass', issued: ISSUED, expires: daysLater(30).toISOString() });
    const expired = {
      kind: 'expired',
      suite: 'mine',
      issued: ISSUED,
      expires: daysLater(30).toISOString(),
      why: expect.stringMatching(
        /expired on 2026-03-31T.*, after the 30 days of gate\.max_valid_for_days\. Gate it again/,
      ),
    };
    expect(under(FLOORS, daysLater(30))).toMatchObject(expired);
    expect(standingAt(pass, daysLater(30).getTime(), folder)).toMatchObject(expired);
  });

  it('leaves a shorter term as it is', () => {
    const { under } = gated({ valid_for_days: 7 });
    expect(under(FLOORS)).toEqual(under({}));
    expect(under(FLOORS, daysLater(8))).toEqual(under({}, daysLater(8)));
  });

  it('the end of a verdict that has expired by itself is the earlier one', () => {
    const { under } = gated();
    expect(under({}, daysLater(100))).toMatchObject({
      kind: 'expired',
      expires: daysLater(90).toISOString(),
    });
    expect(under(FLOORS, daysLater(100))).toMatchObject({
      kind: 'expired',
      expires: daysLater(30).toISOString(),
    });
  });
});

describe('public_key', () => {
  function keys() {
    const { privateFile, publicFile } = createKeyPair(path.join(scratchFolder(), 'gate'), undefined);
    return {
      privateKey: readPrivateKey(privateFile, '--key', undefined),
      publicKey: readPublicKey(publicFile, 'gate.public_key'),
    };
  }

  it('a PASS counts once it is signed, and no longer after a new run of the gate', () => {
    const { folder, under } = gated();
    const { privateKey, publicKey } = keys();
    expect(under({ publicKey })).toEqual({
      kind: 'none',
      reason: 'unsigned',
      why: `Only a signed verdict counts (gate.public_key: ${publicKey.file}). The verdict in ${folder} has no signature verdict.json.sig. Sign it: \`npm run -s plimsoll -- sign --artifact ${folder} --key <private key>\`.`,
    });
    signVerdict(folder, privateKey);
    expect(under({ publicKey })).toEqual(under({}));
    layVerdict(folder, { issued: daysLater(1).toISOString() });
    expect(under({}).kind).toBe('pass');
    expect(under({ publicKey })).toMatchObject({
      kind: 'none',
      reason: 'bad-signature',
      why: expect.stringMatching(
        /the verdict was replaced or changed after it was signed, .*plimsoll -- sign/,
      ),
    });
    signVerdict(folder, privateKey);
    expect(under({ publicKey }).kind).toBe('pass');
  });

  it("another's signature does not count", () => {
    const { folder, under } = gated();
    signVerdict(folder, keys().privateKey);
    const { publicKey } = keys();
    expect(under({ publicKey })).toMatchObject({ reason: 'bad-signature' });
  });

  it('a signed verdict of another artifact does not count, nor does a signed FAIL', () => {
    const { privateKey, publicKey } = keys();
    const other = gated({ artifact: { name: 'other', sha256: 'f'.repeat(64) } });
    const failed = gated({ verdict: 'FAIL' });
    for (const { folder } of [other, failed]) signVerdict(folder, privateKey);
    expect(other.under({ publicKey })).toMatchObject({ reason: 'other-artifact' });
    expect(failed.under({ publicKey })).toMatchObject({ reason: 'not-passed' });
  });
});
