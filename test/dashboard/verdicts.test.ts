import { cpSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { gatewayForTest } from '../gateway/running-gateway.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';
import { DAY_MS, layVerdict, PASSED } from '../helpers/verdicts.ts';
import { scratch, visit } from './dashboard-client.ts';

test('one bound has one confidence on all pages, and a heading says what is counted', async () => {
  const { url } = await gatewayForTest({ config: { artifact: 'models/starter', profiles: {} } });
  const page = async (place: string) => (await visit(`${url}/dashboard${place}`)).text();
  const verdicts = await page('/verdicts');
  const confidenceIn = (text: string) => /([\d.]+)\u00a0% confidence/.exec(text)?.[1];
  expect(confidenceIn(verdicts)).toBe(confidenceIn(await page('')));
  const link = /href="\/dashboard(\/verdicts\/[0-9a-f]{12})"/.exec(verdicts)![1]!;
  expect(await page(link)).toMatch(
    /<strong>Easy cases kept cheap<\/strong>.*<\/p><p>[^<]*of the easy cases stay/,
  );
});

test('the report says when the verdict was issued, until when it counts, and that its time is over', async () => {
  const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS - 60_000);
  const day = (date: Date) => date.toISOString().slice(0, 10);
  const reportOf = async (changes: Parameters<typeof layVerdict>[1], gate = {}) => {
    const folder = path.join(scratch(), 'own');
    cpSync((await tinyArtifact()).folder, folder, { recursive: true });
    const { artifact } = layVerdict(folder, changes);
    const config = {
      artifact: folder,
      profiles: {},
      allow_ungated: true,
      gate,
      ladder: { cheap: 'tiny/tiny-cheap-1', strong: 'tiny/tiny-strong-1' },
      providers: { tiny: { kind: 'openai-compatible', base_url: 'http://127.0.0.1:9' } },
      models: { 'tiny/tiny-cheap-1': {}, 'tiny/tiny-strong-1': {} },
    } as const;
    const { url } = await gatewayForTest({ config });
    return (await visit(`${url}/dashboard/verdicts/${artifact.sha256.slice(0, 12)}`)).text();
  };
  const valid = await reportOf({ issued: daysAgo(3).toISOString(), valid_for_days: 90 });
  expect(valid).toContain('PASS: the promise holds.');
  expect(valid).toContain(`on ${day(daysAgo(3))} (3 days ago)`);
  expect(valid).toContain(`It expires on ${day(daysAgo(-87))} (in 2 months).`);
  const expired = await reportOf({ issued: daysAgo(60).toISOString(), valid_for_days: 30 });
  expect(expired).toContain('The PASS has expired.');
  expect(expired).toContain(`It expired on ${day(daysAgo(30))} (30 days ago).`);
  const floor = { max_valid_for_days: 10 };
  const earlier = await reportOf({ issued: daysAgo(60).toISOString(), valid_for_days: 90 }, floor);
  expect(earlier).toContain(`It expired on ${day(daysAgo(50))} (50 days ago).`);
  const failed = { ...PASSED, verdict: 'FAIL' } as const;
  const fail = await reportOf({ issued: daysAgo(3).toISOString(), verdict: 'FAIL', conditions: [failed] });
  expect(fail).toContain(`on ${day(daysAgo(3))} (3 days ago)`);
  expect(fail).not.toMatch(/It expire[sd] on/); // a FAIL has no term
});
