import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { editedText, replaceConfig, whyNotWritable } from '../../router/config/index.ts';
import { parseYaml } from '../../router/yaml-file.ts';

const FILE = `# begins
ladder:   # cheapest first
  cheap: a # one

  strong: { model: "b", for: [] } # two
list:
  - { x: 1 }
  - x: 2
    y: [1,2]
`;

test('whatever a value is set to is what is read, and no other byte moves', () => {
  fc.assert(
    fc.property(
      fc.string({ maxLength: 30, unit: 'binary' }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      (value, number) => {
        if (/[\uD800-\uDFFF]/.test(value) || Object.is(number, -0)) return;
        const yaml = parseYaml(FILE);
        const text = editedText(yaml, [
          { place: ['ladder', 'cheap'], value },
          { place: ['list', 0, 'x'], value: number },
        ]);
        expect(parseYaml(text).value).toEqual({
          ladder: { cheap: value, strong: { model: 'b', for: [] } },
          list: [{ x: number }, { x: 2, y: [1, 2] }],
        });
        expect(text.startsWith('# begins\nladder:   # cheapest first\n  cheap: ')).toBe(true);
        expect(text).toContain(' # one\n\n  strong: { model: "b", for: [] } # two\nlist:\n  - { x: ');
        expect(text.endsWith(' }\n  - x: 2\n    y: [1,2]\n')).toBe(true);
      },
    ),
  );
});

test('a field that is missing is added to its object, on the lines of the file', () => {
  const added = (text: string, place: (string | number)[]) =>
    editedText(parseYaml(text), [{ place, value: 5 }]);
  expect(added(FILE, ['list', 0, 'weight'])).toBe(FILE.replace('{ x: 1 }', '{ x: 1, weight: 5 }'));
  expect(added(FILE, ['list', 1, 'weight'])).toBe(FILE.replace('y: [1,2]\n', 'y: [1,2]\n    weight: 5\n'));
  expect(added('a:\r\n  b: 1\r\n', ['a', 'c'])).toBe('a:\r\n  b: 1\r\n  c: 5\r\n');
  expect(added('a:\n  b: 1', ['a', 'c'])).toBe('a:\n  b: 1\n  c: 5');
});

test('what cannot be changed alone is refused', () => {
  for (const text of ['a: &x 1\nb: *x\n', 'a: { b: 1 }\n', 'a: [1]\n'])
    expect(() => editedText(parseYaml(text), [{ place: ['a'], value: 2 }]), text).toThrow(
      /cannot be changed here alone/,
    );
});

function scratch(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-edit-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('a file is replaced only while it is the one that was read; rights and links stay', () => {
  const folder = scratch();
  const real = path.join(folder, 'real.yaml');
  const file = path.join(folder, 'link.yaml');
  writeFileSync(real, 'a: 1\n', { mode: 0o640 });
  symlinkSync('real.yaml', file);
  replaceConfig(file, 'a: 1\n', 'a: 2\n');
  expect(readFileSync(real, 'utf8')).toBe('a: 2\n');
  expect(lstatSync(file).isSymbolicLink()).toBe(true);
  expect(statSync(real).mode & 0o777).toBe(0o640);
  expect(() => replaceConfig(file, 'a: 1\n', 'a: 3\n')).toThrow(/somebody changed .* meanwhile/);
  expect(readFileSync(real, 'utf8')).toBe('a: 2\n');
  expect(readdirSync(folder).sort()).toEqual(['link.yaml', 'real.yaml']);
  expect(whyNotWritable(file)).toBeUndefined();
  expect(existsSync(path.join(folder, 'nothing'))).toBe(false);
  expect(whyNotWritable(path.join(folder, 'nothing'))).toMatch(/cannot be written here \(ENOENT\)/);
});
