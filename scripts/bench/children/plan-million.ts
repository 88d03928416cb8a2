/** Decides many recorded requests again in a process of its own: prints the seconds and the most memory that it held. */

import { decisionRecordsOf, plan } from '../../../evals/plan/index.ts';
import { configSchema } from '../../../router/config/index.ts';

const [, , file, only] = process.argv as [string, string, string, string?];

const openai = { kind: 'openai-compatible', base_url: 'http://127.0.0.1:9/v1' };
const config = configSchema.parse({
  ladder: { cheap: 'fake/small', strong: 'fake/large' },
  providers: { fake: openai },
  models: {
    'fake/small': { price: { input: 0.1, output: 0.4 } },
    'fake/large': { price: { input: 3, output: 12 } },
  },
  allow_ungated: true,
  policies: { changed: { threshold: 0.1, version: 1 } },
  default_policy: 'changed',
  limits: [{ for: { provider: 'fake' }, windows: [{ '1m': '600 requests' }, { '24h': '20 usd' }] }],
});

const startedMs = performance.now();
const records = decisionRecordsOf([file], { onNotes: () => {} });
let requests = 0;
let flipped = 0;
if (only === 'read') for await (const _ of records) requests++;
else ({ requests, flipped } = await plan({ config, records }));
const seconds = (performance.now() - startedMs) / 1000;
const maxRssMb = process.resourceUsage().maxRSS / 1024;
process.stdout.write(JSON.stringify({ seconds, maxRssMb, requests, flipped }));
