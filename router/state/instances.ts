import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { PlimsollError } from '../errors.ts';
import type { Documents } from './ports.ts';

/** What one instance serves. */
export interface InstanceReport {
  readonly host: string;
  readonly version: string;
  /** sha256 of the artifact and of the configuration. */
  readonly artifact: string;
  readonly config: string;
  /** Ids of the keys that it reads stored texts with; left out without encryption. */
  readonly encryptionKeys?: readonly string[];
}

export interface Instances {
  /** The instances that reported within the last half minute, this one included; undefined as long as it is not known. */
  readonly all: () => readonly InstanceReport[] | undefined;
  /** A sentence each for what the instances do not agree on. */
  disagreements(): readonly string[];
  close(): Promise<void>;
}

const REPORT_MS = 5_000;
/** Longer than a few reports: an instance does not vanish with one that failed. */
const TTL_MS = 30_000;
const MAX_INSTANCES = 1_000;
const KIND = 'instance';

/** Reports what this instance serves every five seconds, and reads the reports of the others. @param expected how many there should be */
export function reportInstance(
  documents: Documents,
  report: () => Omit<InstanceReport, 'host'>,
  expected: number,
): Instances {
  const key = { scope: '', kind: KIND, id: randomUUID() };
  let known: readonly InstanceReport[] | undefined;
  let closed = false;

  async function exchange(): Promise<void> {
    try {
      await documents.put(key, { value: { host: hostname(), ...report() }, ttlMs: TTL_MS });
      const stored = await documents.list('', KIND, MAX_INSTANCES);
      known = stored.map(({ value }) => value as InstanceReport);
    } catch {
      known = undefined; // the state says itself what is wrong
    }
  }

  let exchanging = exchange();
  const timer = setInterval(() => {
    if (!closed) exchanging = exchange();
  }, REPORT_MS).unref();

  return {
    all: () => known,
    disagreements() {
      if (known === undefined) return [];
      return [
        ...differing(known, 'artifact', 'artifacts'),
        ...differing(known, 'config', 'configurations'),
        ...(known.length > expected
          ? [`${known.length} instances serve, and the configuration says ${expected}: set instances.`]
          : []),
      ];
    },
    async close() {
      closed = true;
      clearInterval(timer);
      await exchanging;
      await documents.delete(key).catch(() => {});
    },
  };
}

/**
 * Texts must not be encrypted with a key that a server at work does not have: it could not read them any more.
 * @throws PlimsollError `invalid-input` with the names of the machines
 */
export async function assertKeyEverywhere(documents: Documents, keyId: string | undefined): Promise<void> {
  if (keyId === undefined) return;
  const stored = await documents.list('', KIND, MAX_INSTANCES);
  const lacking = stored
    .map(({ value }) => value as InstanceReport)
    .filter(({ encryptionKeys }) => encryptionKeys !== undefined && !encryptionKeys.includes(keyId));
  if (lacking.length === 0) return;
  const hosts = [...new Set(lacking.map(({ host }) => host))].join(', ');
  throw new PlimsollError(
    'invalid-input',
    `A server on ${hosts} does not have the key "${keyId}", and could not read what is encrypted with it. Restart it with this key, and then repeat this. One that was killed counts as at work for another ${TTL_MS / 1_000} s.`,
    { place: { field: 'state.encryption_keys_env' } },
  );
}

function differing(reports: readonly InstanceReport[], field: 'artifact' | 'config', what: string): string[] {
  const served = new Set(reports.map((report) => report[field]));
  return served.size > 1 ? [`The ${reports.length} instances serve ${served.size} different ${what}.`] : [];
}
