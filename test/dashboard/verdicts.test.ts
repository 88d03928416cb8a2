import { expect, test } from 'vitest';
import { gatewayForTest } from '../gateway/running-gateway.ts';
import { visit } from './dashboard-client.ts';

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
