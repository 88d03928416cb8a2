import { expect, test } from 'vitest';
import { type CertifiedShares, createShareWatch } from '../../router/monitoring/share-watch.ts';
import { seededRandom } from '../../router/statistics/index.ts';

const CERTIFIED: CertifiedShares = { rungs: [0.4, 0.6], least: 0.2, most: 0.85 };
const CONFIDENCE = 0.95;

/** Requests until the alarm; undefined if there is none. */
function alarmAfter(
  rate: (request: number) => number,
  requests: number,
  random = seededRandom(3),
  certified = CERTIFIED,
) {
  const watch = createShareWatch(certified, CONFIDENCE);
  for (let n = 1; n <= requests; n++) {
    if (watch.observe(Number(random() < rate(n)))) return watch.status();
  }
  return undefined;
}

test.each([
  ['the largest rate of the band', 0.85],
  ['the least', 0.2],
  ['the certified one', 0.6],
])('at %s at most one run in twenty ever raises an alarm', (_, rate) => {
  const random = seededRandom(11);
  const alarms = Array.from({ length: 200 }, () => alarmAfter(() => rate, 2_000, random));
  expect(alarms.filter((alarm) => alarm !== undefined).length).toBeLessThanOrEqual(10);
});

test('a rate outside of the band is found, and which end it passed', () => {
  const above = alarmAfter(() => 0.93, 2_000);
  expect(above).toMatchObject({ fault: { kind: 'escalation', end: 'most', limit: 0.85 } });
  expect(above!.n).toBeLessThan(500);
  const below = alarmAfter(() => 0.1, 2_000);
  expect(below).toMatchObject({ fault: { kind: 'escalation', end: 'least', limit: 0.2 } });
  expect(below!.n).toBeLessThan(500);
});

test('a change after many good requests is found as well', () => {
  const late = alarmAfter((n) => (n <= 5_000 ? 0.6 : 0.97), 8_000);
  expect(late!.n).toBeGreaterThan(5_000);
  expect(late!.n).toBeLessThan(5_500);
});

test('one rung that gets everything is a collapse where the suite has no band', () => {
  const ladder = { rungs: [0.3, 0.5, 0.2], least: undefined, most: undefined };
  for (const rung of [0, 1, 2]) {
    const watch = createShareWatch(ladder, CONFIDENCE);
    let n = 0;
    while (!watch.observe(rung)) n++;
    expect(watch.status().fault).toEqual({ kind: 'collapse', rung });
    expect(n).toBeLessThan(60);
  }
});

test('an alarm is raised once, and once more if it is a collapse; nothing to watch raises none', () => {
  const watch = createShareWatch(CERTIFIED, CONFIDENCE);
  expect(watch.status()).toMatchObject({ n: 0, shares: [], fault: undefined });
  const alarms = Array.from({ length: 400 }, () => (watch.observe(1) ? watch.status().fault?.kind : []));
  expect(alarms.flat()).toEqual(['escalation', 'collapse']);
  expect(watch.status()).toMatchObject({ n: 400, shares: [0, 1] });
  const all = createShareWatch({ rungs: [1, 0], least: 0, most: 1 }, CONFIDENCE);
  expect(Array.from({ length: 1_000 }, () => all.observe(0)).some(Boolean)).toBe(false);
});
