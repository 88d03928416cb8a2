import { createKey } from '../../router/access/index.ts';
import { type Config, loadConfig } from '../../router/config/index.ts';
import { replaceFile } from '../../router/files/index.ts';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { APPS, type App } from './schedule.ts';

/** Fake providers, and the configuration that calls them. */
export interface DemoWorld {
  readonly config: Config;
  /** The API key of each application, and one for whoever tries it out. */
  readonly keys: Readonly<Record<App | 'you', string>>;
  /** Begins and ends the outage of the provider of the large model. */
  setOutage(away: boolean): void;
  close(): Promise<void>;
}

/** Where the providers stand, from the quickest: its delay before a reply and the length of it. */
const PACE = {
  alpha: { delayMs: 60, words: 40 },
  beta: { delayMs: 180, words: 90 },
  gamma: { delayMs: 240, words: 90 },
} as const;

/** Each so-manieth call of the small model fails, and is tried again. */
const FLAKY_EVERY = 43;
/** The nightly job comes to this share of its budget. */
const BUDGET_USED = 0.93;
const CONFIG_FILE = 'plimsoll.config.yaml';
const KEYS_FILE = 'plimsoll.keys.json';

/**
 * Starts the providers, and writes keys and configuration into the working folder.
 * @param nightlyRequests that the nightly job will send, by which its budget is set
 */
export async function startWorld(nightlyRequests: number, port: number): Promise<DemoWorld> {
  const [alpha, beta, gamma] = await Promise.all([
    startFakeProvider({
      ...PACE.alpha,
      models: ['small-models'],
      remember: 1,
      faultOf: (number) => (number % FLAKY_EVERY === 0 ? '503' : undefined),
    }),
    startFakeProvider({ ...PACE.beta, models: ['large-models'], remember: 1 }),
    startFakeProvider({ ...PACE.gamma, models: ['large-models'], remember: 1 }),
  ]);
  const close = async () => void (await Promise.all([alpha, beta, gamma].map((one) => one.close())));
  try {
    const made = [...APPS, 'you' as const].map((name) => {
      const { key, stored } = createKey(KEYS_FILE, {
        name,
        team: name === 'shop' ? 'sales' : 'service',
        role: name === 'you' ? 'view' : undefined,
        now: new Date(),
      });
      return { name, key, id: stored.id };
    });
    const nightly = made.find(({ name }) => name === 'nightly')!.id;
    const budget = Math.max(1, Math.ceil(nightlyRequests / BUDGET_USED));
    const text = configText({ alpha, beta, gamma }, nightly, budget, port);
    replaceFile(CONFIG_FILE, text, { what: 'the configuration of the demonstration' });
    return {
      config: loadConfig(CONFIG_FILE, {}),
      keys: Object.fromEntries(made.map(({ name, key }) => [name, key])) as DemoWorld['keys'],
      setOutage: (away) => beta.failAlways(away ? '503' : undefined),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function configText(
  providers: Readonly<Record<keyof typeof PACE, FakeProvider>>,
  nightly: string,
  budget: number,
  port: number,
): string {
  const lines = Object.entries(providers).map(
    ([name, { url }]) => `  ${name}: { kind: openai-compatible, base_url: '${url}' }`,
  );
  return `# A demonstration: made-up models at fake providers on this machine.
providers:
${lines.join('\n')}
models:
  alpha/small-models: { price: { input: 0.15, output: 0.6 } }
  beta/large-models: { price: { input: 2.5, output: 10 } }
  gamma/large-models: { price: { input: 3, output: 12 } }
ladder: { cheap: alpha/small-models, strong: beta/large-models }
upstream:
  fallbacks: { beta/large-models: [gamma/large-models] }
  breaker: { open_ms: 2000 }
profiles:
  careful: { policy: always-strong }
  drafts: { latency: { class: interactive } }
rules:
  - { name: payments, when: { tag: payments }, at_least: strong }
  - { name: legal, when: { tag: legal }, use: human }
people:
  lawyers: { cost_per_minute_usd: 0.6, minutes: 4 }
sessions: { stickiness: priced }
limits:
  - { for: { key: ${nightly} }, windows: [{ 24h: ${budget} requests }] }
  - { for: { team: sales }, windows: [{ 24h: 10 usd }] }
experiments:
  newcomer: { kind: shadow, to: { models: [gamma/large-models] }, share: 0.2, spend: { 24h: 1 usd } }
watch: {}
feedback: {}
state: { kind: sqlite }
decision_log: { to: state }
access: { keys_file: ${KEYS_FILE} }
server: { port: ${port}, drain_timeout_ms: 3000 }
log_level: silent
`;
}
