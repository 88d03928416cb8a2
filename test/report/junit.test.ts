import { execFileSync } from 'node:child_process';
import { describe, expect, it, type TestContext } from 'vitest';
import { junitReport } from '../../evals/report/index.ts';
import type { Verdict } from '../../router/artifact/index.ts';
import { failingVerdict, hostileVerdict, madeUpVerdict, passingVerdict } from './made-up-verdict.ts';

/** The first Python that runs; PLIMSOLL_PYTHON names another one to try. */
const python = [process.env['PLIMSOLL_PYTHON'], 'python3', '/usr/bin/python3'].find(runs);
const SKIPPED = 'no Python to parse the XML; PLIMSOLL_REQUIRE_PYTHON=1 makes this a failure';

const PARSE = `
import json, sys
from xml.dom import minidom
root = minidom.parse(sys.stdin.buffer).documentElement
named = lambda tag, key: [one.getAttribute(key) for one in root.getElementsByTagName(tag)]
print(json.dumps({
  "failures": root.getAttribute("failures"), "tests": root.getAttribute("tests"),
  "names": named("testcase", "name"), "types": named("failure", "type"), "messages": named("failure", "message"),
  "failed": [one.parentNode.getAttribute("name") for one in root.getElementsByTagName("failure")],
  "texts": [one.firstChild.data for one in root.getElementsByTagName("failure")],
  "properties": {one.getAttribute("name"): one.getAttribute("value") for one in root.getElementsByTagName("property")},
}))`;

describe('the report as JUnit XML', () => {
  it('is read by another parser, with a test case for each condition', (context) => {
    const { names, tests, failures, types, failed, messages, texts } = parsed(failingVerdict(), context);
    expect(names).toEqual(failingVerdict().conditions.map(({ name }) => name));
    expect([tests, failures]).toEqual(['9', '3']);
    expect(failed).toEqual(['quality-loss', 'slice/law', 'calibration/strong']);
    expect(types).toEqual(['fail', 'inconclusive', 'inconclusive']);
    expect(messages[0]).toBe('FAIL: value 0.0388, limit at most 0.0200');
    expect(texts.map((text) => /proof (\w+)/.exec(text)?.[1])).toEqual(['promised', 'promised', 'described']);
    expect(messages[1]).toContain('about 1,180 further cases would probably decide');
  });

  it('fails nothing where all conditions pass', (context) => {
    expect(parsed(passingVerdict(), context)).toMatchObject({ failures: '0', failed: [] });
  });

  it('binds itself by hashes', (context) => {
    const verdict = madeUpVerdict();
    expect(parsed(verdict, context).properties).toMatchObject({
      verdict: 'INCONCLUSIVE',
      'verdict.sha256': verdict.sha256,
      'artifact.sha256': verdict.artifact.sha256,
      'suite.sha256': verdict.suite.sha256,
      'sealed.sha256': verdict.sealed.sha256,
      threshold: '0.1235',
      'looks.number': '1',
    });
    const { properties } = parsed(failingVerdict(), context);
    expect(properties['looks.number']).toBe('5');
    expect(properties['looks']).toContain('Look 5 at these sealed cases');
  });

  it('gives hostile names back letter by letter, but for what XML cannot hold', (context) => {
    const verdict = hostileVerdict();
    const { names, texts } = parsed(verdict, context);
    expect(names).toEqual(verdict.conditions.map(({ name }) => name.replace('\u001b', '\ufffd')));
    expect(texts.at(-1)).toContain('note <script>alert(1)</script>|`--> "&\ufffd[31m');
  });
});

interface Parsed {
  readonly tests: string;
  readonly failures: string;
  readonly names: readonly string[];
  readonly types: readonly string[];
  readonly failed: readonly string[];
  readonly messages: readonly string[];
  readonly texts: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
}

function parsed(verdict: Verdict, context: TestContext): Parsed {
  if (!python) {
    if (process.env['PLIMSOLL_REQUIRE_PYTHON'] === '1') expect.fail(SKIPPED);
    process.stderr.write(`skipped: ${SKIPPED}\n`);
    return context.skip(SKIPPED);
  }
  return JSON.parse(
    execFileSync(python, ['-c', PARSE], { input: junitReport(verdict), encoding: 'utf8' }),
  ) as Parsed;
}

function runs(command: string | undefined): boolean {
  if (!command) return false;
  try {
    execFileSync(command, ['-c', 'from xml.dom import minidom'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
