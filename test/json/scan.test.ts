import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type JsonLimits, JsonScan } from '../../router/json/scan.ts';
import { scaled } from '../helpers/long-run.ts';

const LIMITS: JsonLimits = { maxDepth: 1_000, maxValues: 1_000_000 };

/** The bytes in pieces that end at any of these places. */
function scanned(bytes: Buffer, cuts: readonly number[] = [], limits = LIMITS) {
  const scan = new JsonScan(limits);
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1))), bytes.length].sort((a, b) => a - b);
  let from = 0;
  for (const end of ends) {
    const fault = scan.push(bytes.subarray(from, end));
    if (fault !== undefined) return fault;
    from = end;
  }
  return scan.values;
}

/** Depth and values of what JSON.parse sees. */
function measured(value: unknown): { depth: number; values: number } {
  if (typeof value !== 'object' || value === null) return { depth: 0, values: 1 };
  const entries = Object.values(value).map(measured);
  const names = Array.isArray(value) ? 0 : entries.length;
  // An empty object or list counts as one that holds a value, for it cannot be told apart cheaply.
  const held = Math.max(
    1,
    entries.reduce((sum, { values }) => sum + values, 0),
  );
  return { depth: 1 + Math.max(0, ...entries.map(({ depth }) => depth)), values: 8 + held + 4 * names };
}

const texts = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.constantFrom('"', '\\', '{', '[', ',', ':', 'é', '漢', 'x'.repeat(70), ' '), { maxLength: 12 })
    .map((all) => all.join('')),
);
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(null, true, -1.5e3),
    texts,
    fc.array(tie('json'), { maxLength: 5 }),
    fc.dictionary(
      texts.filter((name) => name !== '__proto__'),
      tie('json'),
      { maxKeys: 5 },
    ),
  ),
}));

test('depth and values are those that JSON.parse makes, wherever the bytes are cut', () => {
  fc.assert(
    fc.property(json, fc.array(fc.nat(), { maxLength: 8 }), fc.nat(2), (value, cuts, indent) => {
      const bytes = Buffer.from(JSON.stringify(value, null, indent));
      const { depth, values } = measured(JSON.parse(bytes.toString()));
      expect(scanned(bytes, cuts)).toBe(values);
      if (depth > 0) expect(scanned(bytes, cuts, { ...LIMITS, maxDepth: depth - 1 })).toBe('too-deep');
      expect(scanned(bytes, cuts, { ...LIMITS, maxDepth: depth })).toBe(values);
      expect(scanned(bytes, cuts, { ...LIMITS, maxValues: values - 1 })).toBe('too-many-values');
    }),
    { numRuns: scaled(2_000) },
  );
});

test('any bytes at all: it ends', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(), { maxLength: 5 }), (bytes, cuts) => {
      expect(['number', 'string']).toContain(typeof scanned(Buffer.from(bytes), cuts));
    }),
  );
});
