import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commandFrom } from '../../router/package.ts';

let root: string;
let packageFolder: string;

/** A project that has installed Plimsoll, as npm lays it out. */
beforeEach(() => {
  root = realpathSync(mkdtempSync(path.join(tmpdir(), 'command-name-')));
  const modules = path.join(root, 'project', 'node_modules');
  packageFolder = path.join(modules, 'plimsoll');
  mkdirSync(path.join(packageFolder, 'dist', 'scripts'), { recursive: true });
  mkdirSync(path.join(modules, '.bin'));
  const program = path.join(packageFolder, 'dist', 'scripts', 'cli.js');
  writeFileSync(program, '');
  chmodSync(program, 0o755);
  symlinkSync('../plimsoll/dist/scripts/cli.js', path.join(modules, '.bin', 'plimsoll'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('inside the project that has it installed: npx', () => {
  const project = path.join(root, 'project');
  expect(commandFrom(packageFolder, project, '/usr/bin')).toBe('npx plimsoll');
  expect(commandFrom(packageFolder, path.join(project, 'deep'), '/usr/bin')).toBe('npx plimsoll');
});

test('npx puts its folder on the PATH of the process alone', () => {
  const searchPath = `${path.join(root, 'project', 'node_modules', '.bin')}:/usr/bin`;
  expect(commandFrom(packageFolder, path.join(root, 'project'), searchPath)).toBe('npx plimsoll');
});

test('elsewhere its path: npx would look for it in the registry', () => {
  const program = path.join(root, 'project', 'node_modules', '.bin', 'plimsoll');
  expect(commandFrom(packageFolder, root, '/usr/bin')).toBe(program);
  expect(commandFrom(packageFolder, path.join(root, 'project-2'), '/usr/bin')).toBe(program);
});

test('its name where a shell finds this very package, as in the container image', () => {
  const folder = path.join(root, 'bin');
  mkdirSync(folder);
  symlinkSync('../project/node_modules/.bin/plimsoll', path.join(folder, 'plimsoll'));
  expect(commandFrom(packageFolder, '/var/lib/plimsoll', `/usr/bin:${folder}`)).toBe('plimsoll');
});

test('another plimsoll on the PATH is not this one', () => {
  const folder = path.join(root, 'bin');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'plimsoll'), '');
  expect(commandFrom(packageFolder, path.join(root, 'project'), folder)).toBe('npx plimsoll');
});

test('in a checkout: npm', () => {
  const checkout = path.join(root, 'checkout');
  expect(commandFrom(checkout, checkout, '/usr/bin')).toBe('npm run -s plimsoll --');
});
