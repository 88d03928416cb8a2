import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { type Case, questionKey } from '../../evals/cases/index.ts';
import { fingerprintCases } from '../../evals/gate/case-fingerprints.ts';
import type { LookRequest } from '../../evals/gate/look-plan.ts';
import { type BegunLook, beginLook } from '../../evals/gate/looks.ts';

export const MODELS = ['small', 'large'];
export const ISSUED = new Date('2025-06-01T00:00:00Z');
export const hashOf = (digit: number | string) => String(digit).repeat(64);

/** A labelled case of the question with this number. */
export function caseOf(question: number, changes: Partial<Case> & { quality?: number } = {}): Case {
  const { quality = 1, ...fields } = changes;
  const text = `What is the ${question}th prime?`;
  const outcomes = new Map([
    ['small', { quality, costUsd: 0.001 }],
    ['large', { quality: 1, costUsd: 0.01 }],
  ]);
  return { id: `case-${question}`, text, key: questionKey(text), outcomes, ...fields };
}

/** Questions from a number up to, not including, another. */
export function casesOf(from: number, to: number): Case[] {
  return Array.from({ length: to - from }, (_, i) => caseOf(from + i));
}

/** The cases in other words, under keys and ids of their own. */
export function copiesOf(cases: readonly Case[], edit: (text: string, i: number) => string): Case[] {
  return cases.map((one, i) => {
    const text = edit(one.text, i);
    return { ...one, text, id: `copy of ${one.id}: ${text}`, key: `key of ${text}` };
  });
}

/** An artifact's folder in an empty store. */
export function emptyStore(): { store: string; artifact: string; file: string } {
  const store = mkdtempSync(path.join(tmpdir(), 'plimsoll-looks-'));
  onTestFinished(() => rmSync(store, { recursive: true, force: true }));
  const artifact = path.join(store, 'mine');
  mkdirSync(artifact);
  return { store, artifact, file: path.join(store, 'looks.jsonl') };
}

export function requestOf(
  cases: readonly Case[],
  changes: Partial<LookRequest> = {},
): LookRequest & { issued: Date } {
  return {
    artifact: 'mine',
    artifactSha256: hashOf('a'),
    policy: { name: 'default', version: 1 },
    suite: 'mine',
    suiteSha256: hashOf('b'),
    confidence: 0.95,
    cases: fingerprintCases(cases, MODELS),
    issued: ISSUED,
    ...changes,
  };
}

/** A look on record at the cases. */
export function lookAt(
  artifact: string,
  cases: readonly Case[],
  changes: Partial<LookRequest> = {},
): BegunLook {
  return beginLook(artifact, requestOf(cases, changes));
}

export function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8').split('\n').slice(0, -1);
}

export function writeLines(file: string, lines: readonly string[]): void {
  writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
}
