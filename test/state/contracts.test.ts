import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe } from 'vitest';
import { openState, type State } from '../../router/state/index.ts';
import { HAS_POSTGRES, postgresUrl } from '../helpers/databases.ts';
import { describeDocumentsContract } from './contracts/documents-contract.ts';
import { describeHourCountsContract } from './contracts/hour-counts-contract.ts';
import { describeLeasesContract } from './contracts/leases-contract.ts';
import { describeLedgerContract } from './contracts/ledger-contract.ts';
import { describeLogContract } from './contracts/log-contract.ts';
import { describeReservationsContract } from './contracts/reservations-contract.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'plimsoll-state-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let files = 0;

const KEYS = { TEST_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}` };

/** Opens one and the same new state as often as it is called. */
type OpenNew = () => Promise<() => Promise<State>>;

const memory: OpenNew = async () => {
  const state = await openState({ kind: 'memory', migrate: 'auto' });
  return async () => state;
};
const sqlite: OpenNew = async () => {
  const url = path.join(scratch, `${files++}`, 'state.db');
  return () => openState({ kind: 'sqlite', url, migrate: 'auto' });
};
const encrypted: OpenNew = async () => {
  const url = path.join(scratch, `${files++}`, 'state.db');
  return () => openState({ kind: 'sqlite', url, migrate: 'auto', encryptionKeysEnv: 'TEST_KEYS' }, KEYS);
};
const postgres: OpenNew = async () => {
  const url = await postgresUrl();
  return () => openState({ kind: 'postgres', url, migrate: 'auto' });
};

function describeContracts(name: string, openNew: OpenNew): void {
  const open = async () => (await openNew())();
  describeLogContract(name, open);
  describeLedgerContract(name, open);
  describeLeasesContract(name, open);
  describeDocumentsContract(name, open);
  describeHourCountsContract(name, open);
  describeReservationsContract(name, async () => {
    const again = await openNew();
    return [await again(), await again()];
  });
}

describeContracts('memory', memory);
describeContracts('SQLite', sqlite);
describeContracts('SQLite with encryption', encrypted);
describe.skipIf(!HAS_POSTGRES)('with a PostgreSQL server', () => describeContracts('PostgreSQL', postgres));
