import { createStateKey } from '../../../router/access/index.ts';
import { openState, type State } from '../../../router/state/index.ts';
import { type FakeProvider, type FakeProviderOptions, startFakeProvider } from '../../fake-provider/index.ts';
import { ownPostgres, ownRedis, type PostgresServer } from '../databases.ts';
import { type PlimsollProcess, startPlimsoll } from '../gateway/servers.ts';
import { freePort } from '../processes.ts';
import { NANO_USD, REPLY } from './verified-client.ts';

/** An API key and the id under which the ledger has it. */
export interface BenchKey {
  readonly key: string;
  readonly id: string;
}

/** Two instances of Plimsoll on one PostgreSQL and one Redis, in front of one provider. */
export interface InstancePair {
  readonly provider: FakeProvider;
  readonly postgres: PostgresServer;
  /** The benchmark's own way into the state. */
  readonly state: State;
  /** With a budget that is never reached. */
  readonly keys: readonly BenchKey[];
  /** With a budget of a few requests. */
  readonly poorKey: BenchKey;
  /** To be revoked. */
  readonly revokedKey: BenchKey;
  readonly origins: readonly [string, string];
  /** SIGKILL. */
  kill(which: 0 | 1): Promise<void>;
  /** Starts one again at its old address. */
  restart(which: 0 | 1): Promise<void>;
  /** SIGTERM: what waits is written. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

const KEYS = 8;
/** Some dozens of requests: each reserves less than a million. */
export const POOR_NANO_USD = 3_000_000;
const NANO = 1e9;
const PER_MILLION = 1e-3;

/** What is different for a run. */
export interface PairChanges extends Pick<FakeProviderOptions, 'faultOf' | 'delayMs'> {
  /** In place of POOR_NANO_USD. */
  readonly poorNanoUsd?: number;
  /** Sections of the configuration beside those of the pair. */
  readonly sections?: object;
}

/** @param remember requests that the provider remembers */
export async function startInstancePair(
  remember: number,
  { poorNanoUsd = POOR_NANO_USD, sections: changed = {}, ...ofProvider }: PairChanges = {},
): Promise<InstancePair> {
  const ending: (() => Promise<void> | void)[] = [];
  const close = async () => {
    for (const end of ending.splice(0).reverse()) await end();
  };
  try {
    const provider = await startFakeProvider({ ...REPLY, ...ofProvider, remember });
    ending.push(() => provider.close());
    const postgres = await ownPostgres();
    ending.push(postgres.close);
    const redis = await ownRedis();
    ending.push(redis.close);
    const state = await openState({ kind: 'postgres', url: postgres.url, migrate: 'auto' });
    ending.push(() => state.close());
    const newKey = async (name: string): Promise<BenchKey> => {
      const { key, stored } = await createStateKey(state.documents, { name, now: new Date() });
      return { key, id: stored.id };
    };
    const keys = await Promise.all(Array.from({ length: KEYS }, (_, i) => newKey(`bench ${i}`)));
    const poorKey = await newKey('poor');
    const revokedKey = await newKey('to be revoked');
    const sections = () => ({ ...configOf(postgres.url, redis.url, poorKey, poorNanoUsd), ...changed });
    const start = (port: number) =>
      startPlimsoll({
        providers: { fake: provider.url },
        ladder: { cheap: 'fake/small', strong: 'fake/large' },
        sections,
        port,
      });
    const ports = [await freePort(), await freePort()] as const;
    const processes: [PlimsollProcess, PlimsollProcess] = [await start(ports[0]), await start(ports[1])];
    const drain = async () => void (await Promise.all(processes.map((one) => one.close())));
    ending.push(async () => {
      await drain();
      for (const one of processes) one.remove();
    });
    return {
      provider,
      postgres,
      state,
      keys,
      poorKey,
      revokedKey,
      origins: [`http://127.0.0.1:${ports[0]}`, `http://127.0.0.1:${ports[1]}`],
      kill: (which) => processes[which].kill(),
      async restart(which) {
        processes[which].remove();
        processes[which] = await start(ports[which]);
      },
      drain,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function configOf(postgresUrl: string, redisUrl: string, poorKey: BenchKey, poorNanoUsd: number): object {
  const price = ({ input, output }: { readonly input: number; readonly output: number }) => ({
    input: input * PER_MILLION,
    output: output * PER_MILLION,
  });
  return {
    models: {
      // Without eyes, so that a picture goes to the strong one.
      'fake/small': { price: price(NANO_USD.small), capabilities: ['tools'] },
      'fake/large': { price: price(NANO_USD.large), capabilities: ['tools', 'images'] },
    },
    state: { kind: 'postgres', url: postgresUrl },
    redis: { url: redisUrl },
    instances: 2,
    decision_log: { to: 'state' },
    access: { keys_in_state: true },
    limits: [
      { for: { key: '*' }, windows: [{ '24h': '1000 usd' }, { '1m': '1_000_000 requests' }] },
      { for: { key: poorKey.id }, windows: [{ '24h': `${poorNanoUsd / NANO} usd` }] },
    ],
  };
}
